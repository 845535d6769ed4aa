"""PP-StructureV3 through `paddleocr`: the engine for machines with a GPU. Nothing imports Paddle before a pipeline is made."""
