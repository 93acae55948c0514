"""Who may ask a server: keys, tokens, certificates, rates, pages of other origins, proxies.

What a server is not told to check is not imported.
"""
