"""The command line `ocr-service`: docs/cli.md tells what each command does."""
