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
  { kind: 'a TensorFlow Lite model', at: 4, bytes: [0x54, 0x46, 0x4c, 0x33] },
  { kind: 'an ORT format model', at: 4, bytes: [0x4f, 0x52, 0x54, 0x4d] },
  { kind: 'a GGUF file', at: 0, bytes: [0x47, 0x47, 0x55, 0x46] },
  { kind: 'a program', at: 0, bytes: [0x7f, 0x45, 0x4c, 0x46] },
];

/**
 * What kind of file these first bytes (64 are enough) begin, for messages: a pickle, an archive …; null when
 * none of them is recognised, which does not make it an ONNX file: only a full parse does.
 */
export function recogniseFile(bytes: Uint8Array): string | null {
  if (isPickle(bytes)) return 'a Python pickle';
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 64)).trimStart();
  if (text.startsWith('{"') || text.startsWith('{\n')) return 'a JSON file';
  const found = signatures.find(({ at, bytes: magic }) => magic.every((byte, i) => bytes[at + i] === byte));
  return found?.kind ?? null;
}

/** Protocols 2 to 5 begin with PROTO and the number; 0 and 1 with an opcode that pushes a mark or a global. */
function isPickle(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if (first === 0x80 && second !== undefined && second >= 2 && second <= 5) return true;
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 64));
  return /^(c[A-Za-z_][\w.]*\n[A-Za-z_]|\((dp?|lp?|c[A-Za-z_]|i[A-Za-z_])|[}\]](q|\.|\())/.test(start);
}
