"""Answers against annotators, options and free text: VQA accuracy, multiple choice, exact match, WUPS."""
