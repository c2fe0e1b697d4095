"""Everyone else: systems that NExT-GPT is compared with. Messages in, messages out."""
