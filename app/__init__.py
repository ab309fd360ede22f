"""Kuchipaku: a desktop AI VTuber that hears, answers and speaks with lips in sync."""

__version__ = "0.1.0"
