"""Named contracts: how engines compute the ops of a network file, and where two of them differ."""

from .table import CONTRACTS, Contract, Rule, contract_named

__all__ = ["CONTRACTS", "Contract", "Rule", "contract_named"]
