/** This machine in the words of native packages: `linux-x64`, and `linux-x64-musl` where the C library is musl. */
export function platformName(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return name;
  Object.assign(process.report, { excludeNetwork: true }); // looking up addresses takes seconds
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? `${name}-musl` : name;
}
