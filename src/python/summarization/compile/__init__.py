"""The image in which `serve:download` compiles the encoder, which takes what no server carries."""
