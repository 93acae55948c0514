"""Keywords: the words and phrases of a text that are nearest to it in meaning."""
