"""The paper's twin: every published cell beside what was measured, in the shape of the paper's own tables."""
