from setuptools import setup

setup(cffi_modules=["python/intgold/native/build.py:ffi"])
