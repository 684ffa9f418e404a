from runpy import run_path

from setuptools import setup

setup(**run_path("python/intgold/native/build.py")["SETUP"])
