"""PP-StructureV3's layout labels in the words of this service."""

from __future__ import annotations

from ocr_service.domain.blocks import LayoutLabel

_SAME = {label.value: label for label in LayoutLabel}
_KNOWN = {
    **_SAME,
    **dict.fromkeys(("abstract", "content", "reference", "reference_content", "algorithm", "aside_text"), LayoutLabel.TEXT),
    **dict.fromkeys(("formula_number", "vertical_text"), LayoutLabel.TEXT),
    **dict.fromkeys(("abstract_title", "reference_title", "refer_title", "content_title"), LayoutLabel.PARAGRAPH_TITLE),
    **dict.fromkeys(("chart_title", "figure_table_chart_title"), LayoutLabel.FIGURE_TITLE),
    **dict.fromkeys(("figure", "flowchart", "header_image", "footer_image"), LayoutLabel.IMAGE),
    **dict.fromkeys(("display_formula", "inline_formula"), LayoutLabel.FORMULA),
    "vision_footnote": LayoutLabel.FOOTNOTE,
}
# For labels of models to come: the first word that occurs in the label decides.
_NEAREST = (
    ("title", LayoutLabel.PARAGRAPH_TITLE),
    ("caption", LayoutLabel.FIGURE_TITLE),
    ("footnote", LayoutLabel.FOOTNOTE),
    ("formula", LayoutLabel.FORMULA),
    ("equation", LayoutLabel.FORMULA),
    ("table", LayoutLabel.TABLE),
    ("chart", LayoutLabel.CHART),
    ("seal", LayoutLabel.SEAL),
    ("stamp", LayoutLabel.SEAL),
    ("image", LayoutLabel.IMAGE),
    ("figure", LayoutLabel.IMAGE),
    ("photo", LayoutLabel.IMAGE),
    ("header", LayoutLabel.HEADER),
    ("footer", LayoutLabel.FOOTER),
)


def layout_label(name: str) -> tuple[LayoutLabel, str | None]:
    """The label for a name of the library, and a warning where it is not known: then the nearest is taken, text if none is near."""
    known = _KNOWN.get(name)
    if known is not None:
        return known, None
    label = next((label for word, label in _NEAREST if word in name.lower()), LayoutLabel.TEXT)
    return label, f"The layout model calls this {name!r}, which is not known here; it is treated as {label.value}."
