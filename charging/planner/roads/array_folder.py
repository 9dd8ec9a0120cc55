"""Folders of arrays: one .npy file an array beside a manifest, replaced as a whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MANIFEST = "manifest.json"


class ArrayFolderMissing(Exception):
    """There is no folder with a manifest at this place."""


class ArrayFolderBroken(Exception):
    """The folder is there, but not what its manifest says."""


def hash_arrays(arrays: Mapping[str, NDArray[Any]], *, salt: str) -> str:
    """Name a set of arrays by its content: 24 hexadecimal digits.

    ``salt`` takes in whatever else decides the content, such as the format number.
    """
    digest = hashlib.blake2b(salt.encode(), digest_size=12)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


def save_arrays(
    arrays: Mapping[str, NDArray[Any]], *, folder: Path, manifest: Mapping[str, object]
) -> None:
    """Write arrays and manifest beside ``folder``, then put them in its place.

    A crash leaves the old folder or the new one, never a mixture. Readers that hold the old
    folder's files mapped keep them until they open again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(fresh / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        shapes = {
            name: {"dtype": array.dtype.str, "shape": list(array.shape)}
            for name, array in arrays.items()
        }
        text = json.dumps({**manifest, "arrays": shapes}, indent=2, sort_keys=True)
        (fresh / MANIFEST).write_text(text + "\n", encoding="utf-8")
        fresh.chmod(0o755)  # mkdtemp gives 0700; the web server's user must read what we build
        _swap_in(fresh, folder=folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _swap_in(fresh: Path, *, folder: Path) -> None:
    # rename() replaces a file but not a full folder, so the old one steps aside first. In between
    # a reader finds nothing and says so; it never finds half a store.
    if not folder.exists():
        fresh.replace(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.replace(aside / "store")
    fresh.replace(folder)
    shutil.rmtree(aside)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a folder's manifest.

    Raises ArrayFolderMissing, or ArrayFolderBroken when it is no JSON object.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArrayFolderMissing("there is no manifest") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError alike
        raise ArrayFolderBroken("the manifest is not JSON") from error
    if not isinstance(manifest, dict):
        raise ArrayFolderBroken("the manifest is not a JSON object")
    return manifest


def open_arrays(folder: Path, *, dtypes: Mapping[str, type]) -> dict[str, NDArray[Any]]:
    """Map the named arrays read-only and check each against the manifest.

    ``dtypes`` says which arrays are wanted and of which type. Files are checked by header and
    size, not read: opening stays cheap however large the store.

    Raises ArrayFolderMissing or ArrayFolderBroken.
    """
    shapes = read_manifest(folder).get("arrays")
    if not isinstance(shapes, dict):
        raise ArrayFolderBroken("the manifest lists no arrays")
    return {
        name: _open_array(folder / f"{name}.npy", dtype=dtype, stated=shapes.get(name))
        for name, dtype in dtypes.items()
    }


def _open_array(path: Path, *, dtype: type, stated: object) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        msg = f"{path.name} cannot be read"
        raise ArrayFolderBroken(msg) from error
    if stated != {"dtype": array.dtype.str, "shape": list(array.shape)}:
        msg = f"{path.name} is not as the manifest says"
        raise ArrayFolderBroken(msg)
    if array.dtype != np.dtype(dtype):
        msg = f"{path.name} holds {array.dtype}, not {np.dtype(dtype)}"
        raise ArrayFolderBroken(msg)
    # A plain view: numba compiles for ndarray once instead of again for numpy.memmap.
    return np.asarray(array)
