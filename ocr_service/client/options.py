"""What can be asked for with a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TEXT_LAYER = ("auto", "ignore", "only")
OUTPUTS = ("searchable_pdf", "tables", "page_images")
VLM_POLICY = ("auto", "all", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The form fields of `POST /ocr/pdf`; None and () mean what the service does by itself. The service checks the values.

    `pages`: such as `1-3,7`; `dpi`: 72–600; `lang`: ISO 639 code; `password` is never shown and never stored.
    """

    pages: str | None = None
    dpi: int | None = None
    lang: str | None = None
    text_layer: Literal["auto", "ignore", "only"] | None = None
    outputs: tuple[Literal["searchable_pdf", "tables", "page_images"], ...] = ()
    vlm_policy: Literal["auto", "all", "none"] | None = None
    include_headers_footers: bool = False
    password: str | None = field(default=None, repr=False)

    def fields(self) -> dict[str, str]:
        """As they are sent."""
        form = self.recorded()
        if self.password is not None:
            form["password"] = self.password
        return form

    def recorded(self) -> dict[str, str]:
        """All that a result depends on: without the password."""
        values: dict[str, object] = {
            "pages": self.pages,
            "dpi": self.dpi,
            "lang": self.lang,
            "text_layer": self.text_layer,
            "outputs": ",".join(sorted(set(self.outputs))) or None,
            "vlm_policy": self.vlm_policy,
            "include_headers_footers": "true" if self.include_headers_footers else None,
        }
        return {name: str(value) for name, value in values.items() if value is not None}
