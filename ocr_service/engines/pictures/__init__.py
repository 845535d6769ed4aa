"""What is cut out of the upright page as a picture: figures for the reader, crops for the VLM, the page itself for people."""
