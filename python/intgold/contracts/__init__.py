"""Named contracts: how engines compute the ops of a network file, and where two of them differ."""

from ..support.moved import renamed
from .table import CONTRACTS, Algorithm, Contract, OpRule, contract_named

__all__ = ["CONTRACTS", "Algorithm", "Contract", "OpRule", "contract_named"]

__getattr__ = renamed(__name__)
