"""People as judges: blind studies of what systems said, and what comes back from them."""
