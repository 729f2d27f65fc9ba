import { createHash } from 'node:crypto';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A POSIX tar of plain files. */
function tar(files: Readonly<Record<string, Buffer | string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write('0000644\0', 100);
    head.write('0000000\0', 108);
    head.write('0000000\0', 116);
    head.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    head.write('00000000000\0', 136);
    head.write('        0', 148);
    head.write('ustar\0', 257);
    head.write('00', 263);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An image of one layer with these files, as `docker save` writes it. */
export function imageArchive(files: Readonly<Record<string, string>>): Buffer {
  const layer = tar(files);
  const digest = sha256(layer);
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture: 'amd64', os: 'linux', config: {} },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
      history: [{ created_by: 'a test' }],
    }),
  );
  const named = `${sha256(config)}.json`;
  const manifest = [{ Config: named, RepoTags: null, Layers: [`${digest}/layer.tar`] }];
  return tar({
    [named]: config,
    [`${digest}/layer.tar`]: layer,
    'manifest.json': JSON.stringify(manifest),
  });
}

/** What Debian 12 keeps of an installed package. */
export const debian = (name: string, version: string): Record<string, string> => ({
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status': `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\nMaintainer: nobody\nDescription: a test\n\n`,
});
