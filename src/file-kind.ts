/** Formats that models come in, recognised by their first bytes; names and endings prove nothing. */
const signatures: readonly { kind: string; at: number; bytes: readonly number[] }[] = [
  { kind: 'a zip archive (PyTorch, Keras, npz, joblib)', at: 0, bytes: [0x50, 0x4b, 0x03, 0x04] },
  { kind: 'a zip archive (PyTorch, Keras, npz, joblib)', at: 0, bytes: [0x50, 0x4b, 0x05, 0x06] },
  { kind: 'an HDF5 file (Keras)', at: 0, bytes: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] },
  { kind: 'a NumPy array', at: 0, bytes: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] },
  { kind: 'a gzip file', at: 0, bytes: [0x1f, 0x8b] },
  { kind: 'a bzip2 file', at: 0, bytes: [0x42, 0x5a, 0x68] },
  { kind: 'an xz file', at: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { kind: 'a zlib file (joblib)', at: 0, bytes: [0x78, 0x9c] },
  { kind: 'a zlib file (joblib)', at: 0, bytes: [0x78, 0x01] },
  { kind: 'a zlib file (joblib)', at: 0, bytes: [0x78, 0x5e] },
  { kind: 'a zlib file (joblib)', at: 0, bytes: [0x78, 0xda] },
  { kind: 'an LZ4 file (joblib)', at: 0, bytes: [0x04, 0x22, 0x4d, 0x18] },
  { kind: 'an LZMA file (joblib)', at: 0, bytes: [0x5d, 0x00, 0x00] },
  { kind: 'a Zstandard file', at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'a 7-Zip archive', at: 0, bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c] },
  { kind: 'a tar archive', at: 257, bytes: [0x75, 0x73, 0x74, 0x61, 0x72] },
  { kind: 'a safetensors file', at: 8, bytes: [0x7b, 0x22] },
  { kind: 'a TensorFlow Lite model', at: 4, bytes: [0x54, 0x46, 0x4c, 0x33] },
  { kind: 'an ORT format model', at: 4, bytes: [0x4f, 0x52, 0x54, 0x4d] },
  { kind: 'a GGUF file', at: 0, bytes: [0x47, 0x47, 0x55, 0x46] },
  { kind: 'a program', at: 0, bytes: [0x7f, 0x45, 0x4c, 0x46] },
];

/**
 * What kind of file these first bytes (512 are enough) begin, for messages: a pickle, an archive …; null when
 * none of them is recognised, which does not make it an ONNX file: only a full parse does.
 */
export function recogniseFile(bytes: Uint8Array): string | null {
  if (isPickle(bytes)) return 'a Python pickle';
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 64)).trimStart();
  if (text.startsWith('{"') || text.startsWith('{\n')) return 'a JSON file';
  const found = signatures.find(({ at, bytes: magic }) => magic.every((byte, i) => bytes[at + i] === byte));
  return found?.kind ?? null;
}

/**
 * What a second file in these bytes is, for formats that are read from their end or from places further on: a zip
 * archive behind something else, an HDF5 file behind a user block. Null when there is none.
 */
export function recogniseHidden(bytes: Uint8Array): string | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const tail = view.subarray(Math.max(0, view.length - 22 - 65_535));
  const end = Buffer.from([0x50, 0x4b, 0x05, 0x06]);
  for (let at = tail.indexOf(end); at !== -1 && at + 22 <= tail.length; at = tail.indexOf(end, at + 1)) {
    // the comment reaches to the end of the file, which four chance bytes would not say
    if (at + 22 + tail.readUInt16LE(at + 20) === tail.length) return 'a zip archive behind something else';
  }
  const hdf5 = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);
  for (let at = 512; at + hdf5.length <= view.length; at *= 2) {
    if (view.subarray(at, at + hdf5.length).equals(hdf5)) return 'an HDF5 file behind something else';
  }
  return null;
}

/** Protocols 2 to 5 begin with PROTO and the number; 0 and 1 with an opcode that pushes a mark or a global. */
function isPickle(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if (first === 0x80 && second !== undefined && second >= 2 && second <= 5) return true;
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 64));
  return /^(c[A-Za-z_][\w.]*\n[A-Za-z_]|\((dp?|lp?|c[A-Za-z_]|i[A-Za-z_])|[}\]](q|\.|\())/.test(start);
}
