"""The Merkle tree of RFC 6962: hashes, proofs and their verification, over a store of complete subtrees.

Pure: the store is a function from (level, index) to a hash, so that a database, a dict and a test's
recursion serve alike. Verification needs no store, and shares no code with what makes the proofs.
"""

from guanjia.core.merkle.tree import (
    EMPTY,
    Node,
    Read,
    consistency,
    grow,
    inclusion,
    leaf_hash,
    node_hash,
    root,
)
from guanjia.core.merkle.verify import ProofError, verify_consistency, verify_inclusion

__all__ = [
    "EMPTY",
    "Node",
    "ProofError",
    "Read",
    "consistency",
    "grow",
    "inclusion",
    "leaf_hash",
    "node_hash",
    "root",
    "verify_consistency",
    "verify_inclusion",
]
