/** npm scripts run on the Node that the npm package `node` brings; without it, say so instead of failing oddly. */
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 24) {
  console.error(
    `ModelGate runs on Node 24, but npm found ${process.version}.\n` +
      'The npm package "node" brings it; its install script was probably not allowed. Run: npm rebuild node',
  );
  process.exit(1);
}
