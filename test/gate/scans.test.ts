import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { scanChecks } from '../../src/gate/checks/scans.ts';
import { ScansPolicy } from '../../src/gate/policy-scans.ts';
import { requireScans } from '../../src/gate/scans/coverage.ts';
import { type GivenScan, judgeScan } from '../../src/gate/scans/judge.ts';
import { readScan } from '../../src/gate/scans/read.ts';
import { type Finding, Severity, severityOfScore } from '../../src/gate/scans/scan.ts';
import { parseLock } from '../../src/training/requirements.ts';

const folder = path.join(import.meta.dirname, '../fixtures/scans');
const fixture = (name: string) => readFileSync(path.join(folder, name));
const read = (report: unknown, named: 'dependencies' | 'image' | 'code' | null = null) =>
  readScan(report instanceof Uint8Array ? report : Buffer.from(JSON.stringify(report)), {
    ...{ named, where: 'scan' },
  });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return 'none';
};
const policyOf = (policy: object) => ScansPolicy.parse(policy);
const lock = parseLock(fixture('requirements.lock').toString('utf8'), 'requirements.lock');

const finding: Finding = {
  ...{ id: 'GHSA-1', aliases: ['CVE-2099-1'], package: 'numpy', version: '1.0' },
  ...{ severity: 'critical', fixed_in: ['1.1'] },
};
const scanOf = (findings: Finding[], part: Partial<GivenScan> = {}): GivenScan => ({
  ...{ tool: { name: 'Scanner', version: '1' }, subject: 'dependencies', target: 'lock', seen: true },
  ...{ packages: [{ name: 'numpy', version: '1.0' }], findings, sha256: 'a'.repeat(64) },
  ...part,
});
const judge = (findings: Finding[], policy: object = {}, today: string | null = '2026-06-01') => {
  const parsed = policyOf(policy);
  const result = judgeScan(scanOf(findings), { policy: parsed, today });
  return { result, checks: scanChecks([result], { policy: parsed, covered: true }) };
};

describe('[GOV-8] reports of scanners', () => {
  it('OSV-Scanner: databases of one weakness are one finding, packages without any are listed', () => {
    const scan = read(fixture('osv-scanner.json'));
    expect(scan).toMatchObject({ subject: 'dependencies', tool: { name: 'OSV-Scanner' } });
    expect(scan.packages).toContainEqual({ name: 'colorama', version: '0.4.6' });
    expect(scan.findings).toEqual([
      {
        ...{ id: 'GHSA-aaaa-bbbb-cccc', aliases: ['PYSEC-2099-1', 'CVE-2099-0001'], package: 'numpy' },
        ...{ version: '1.26.0', severity: 'critical', fixed_in: ['1.26.9'] },
      },
      expect.objectContaining({ package: 'pillow', severity: 'medium' }), // 5.3 by CVSS 4
      expect.objectContaining({ package: 'scikit-learn', severity: 'unknown', fixed_in: [] }),
      expect.objectContaining({ package: 'torch', version: '2.5.0+cpu', severity: 'high' }), // the database's word
    ]);
  });

  it('SARIF: GitHub’s security-severity counts, a level is none', () => {
    const scan = read(fixture('osv-scanner.sarif'), 'dependencies');
    expect(scan.tool).toEqual({ name: 'osv-scanner', version: '2.5.1' });
    expect(scan.findings.map(({ id, severity }) => [id, severity])).toEqual(
      expect.arrayContaining([
        ['CVE-2099-0001', 'critical'],
        ['CVE-2099-0003', 'unknown'],
      ]),
    );
    expect(read(fixture('osv-scanner.sarif')).subject).toBe('code');
  });

  it('pip-audit: no severities, and what was skipped was not looked at', () => {
    const scan = read(fixture('pip-audit.json'));
    expect(scan.findings).toEqual([
      {
        ...{ id: 'CVE-2099-0001', aliases: ['GHSA-aaaa-bbbb-cccc'], package: 'numpy', version: '1.26.0' },
        ...{ severity: 'unknown', fixed_in: ['1.26.9'] },
      },
    ]);
    const skipped = read({
      dependencies: [
        { name: 'a', skip_reason: 'no such version' },
        { name: 'b', version: '1', vulns: [] },
      ],
      fixes: [],
    });
    expect(skipped.packages).toEqual([{ name: 'b', version: '1' }]);
  });

  it('Trivy: packages of an image, and secrets in its files', () => {
    const scan = read(fixture('trivy-image.json'));
    expect(scan).toMatchObject({ subject: 'image', tool: { name: 'Trivy', version: '0.69.0' } });
    expect(scan.target).toContain('sha256:1111');
    expect(scan.packages).toHaveLength(2);
    expect(scan.findings).toMatchObject([
      { id: 'CVE-2099-1001', severity: 'critical', package: 'libssl3', fixed_in: ['3.0.14-1'] },
      { id: 'CVE-2099-1002', severity: 'unknown', fixed_in: [] },
      { id: 'aws-access-key-id', severity: 'high', package: '/app/.env', version: null },
    ]);
  });

  it('OSV-Scanner on an image: packages of its system, by the name that modelgate scan gave it', () => {
    const report = {
      ...{ image_metadata: { os: 'Debian' }, experimental_config: {} },
      results: [
        {
          source: { path: '/var/lib/dpkg/status', type: 'os' },
          packages: [{ package: { name: 'openssl', version: '3.0.9-1', ecosystem: 'Debian:12' } }],
        },
      ],
    };
    expect(read(report)).toMatchObject({
      ...{ subject: 'image', target: null },
      packages: [{ name: 'openssl', version: '3.0.9-1', foreign: true }],
    });
    expect(read({ ...report, modelgate: { target: 'model@sha256:1' } }).target).toBe('model@sha256:1');
    expect(codeOf(() => read({ ...report, results: [] }))).toBe('scan_incomplete');
  });

  it('Grype: matches of an image', () => {
    const scan = read(fixture('grype-image.json'));
    expect(scan).toMatchObject({ subject: 'image', tool: { name: 'Grype' }, packages: null });
    expect(scan.findings).toMatchObject([
      { id: 'GHSA-aaaa-bbbb-cccc', aliases: ['CVE-2099-0001'], fixed_in: ['1.26.9', '2.0.1'] },
      { id: 'CVE-2099-2002', severity: 'low' },
    ]);
  });

  it('bands of CVSS, and what is no score', () => {
    const bands = [10, 9, '9.0', 8.9, 7, 6.9, 4, 3.9, 0, '', 'high', -1, 11, Number.NaN, null, undefined];
    expect(bands.map(severityOfScore)).toEqual([
      ...['critical', 'critical', 'critical', 'high', 'high', 'medium', 'medium', 'low', 'low'],
      ...Array(7).fill('unknown'),
    ]);
  });
});

describe('[GOV-8] what shows nothing is an error, never green', () => {
  const osv = (results: unknown[]) => ({ results, experimental_config: {} });
  const run = { tool: { driver: { name: 's' } } };
  const sarif = (more: object) => ({ version: '2.1.0', runs: [{ ...run, ...more }] });
  const grype = (source: object) => ({ matches: [], source, descriptor: { name: 'grype', version: '1' } });

  it.each([
    ['nothing', Buffer.from('')],
    ['no JSON', Buffer.from('{"results": [')],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a list', []],
    ['no known format', { vulnerabilities: [] }],
    ['OSV-Scanner in another form', osv([{ source: { path: 'x' }, packages: [{ package: {} }] }])],
    ['Trivy of another schema', { SchemaVersion: 1, ArtifactType: 'filesystem', Results: [] }],
    ['SARIF of another version', { ...sarif({ results: [] }), version: '2.2' }],
    ['SARIF of a run without results', sarif({})],
    ['SARIF of a run that failed', sarif({ results: [], invocations: [{ executionSuccessful: false }] })],
    ['a prototype', Buffer.from('{"results": [], "experimental_config": {}, "__proto__": {}}')],
    ['depth', Buffer.from(`{"results": ${'['.repeat(5000)}${']'.repeat(5000)}}`)],
    [
      'a name without an end',
      { dependencies: [{ name: 'a'.repeat(501), version: '1', vulns: [] }], fixes: [] },
    ],
  ])('%s', (_, report) => {
    expect(codeOf(() => read(report))).toBe('scan_unreadable');
  });

  it.each([
    ['OSV-Scanner without --all-packages, and clean', osv([])],
    ['pip-audit of an empty lock', { dependencies: [], fixes: [] }],
    ['pip-audit that skipped all', { dependencies: [{ name: 'a', skip_reason: 'x' }], fixes: [] }],
    ['Trivy of an empty folder', { SchemaVersion: 2, ArtifactName: '.', ArtifactType: 'filesystem' }],
    ['Grype of a folder', grype({ type: 'directory', target: '.' })],
    ['SARIF that names no artifact', sarif({ results: [] })],
  ])('%s', (_, report) => {
    expect(codeOf(() => read(report))).toBe('scan_incomplete');
  });

  it('takes a clean report that shows what it looked at', () => {
    expect(read(sarif({ results: [], artifacts: [{}] })).findings).toEqual([]);
    const image = { userInput: 'a', imageID: 'sha256:1' };
    expect(read(grype({ type: 'image', target: image })).subject).toBe('image');
  });

  it('a name may not contradict the report', () => {
    expect(codeOf(() => read(fixture('osv-scanner.json'), 'image'))).toBe('scan_unreadable');
  });

  it('a required scan that is missing, or of another lock', () => {
    const policy = policyOf({ require: ['dependencies', 'image'] });
    const given = (name: string) => ({ ...read(fixture(name)), sha256: 'a'.repeat(64) });
    const dependencies = given('osv-scanner.json');
    const image = given('trivy-image.json');
    const ask = (scans: GivenScan[], locked: typeof lock | null = lock) =>
      codeOf(() => requireScans(scans, { policy, lock: locked }));
    expect(ask([dependencies, image])).toBe('none');
    expect(ask([dependencies])).toBe('scan_missing');
    expect(ask([image])).toBe('scan_missing');
    expect(ask([dependencies, image], null)).toBe('scan_incomplete');
    expect(ask([dependencies, image], [...lock, { name: 'keras', version: '3.0' }])).toBe('scan_incomplete');
    const other = lock.map((one) => ({ ...one, version: '9' }));
    expect(ask([dependencies, image], other)).toBe('scan_incomplete');
    // pip-audit leaves out what another platform needs
    expect(ask([given('pip-audit.json'), image])).toBe('none');
    const marked = { name: 'keras', version: '3.0', conditional: true } as const;
    expect(ask([dependencies, image], [...lock, marked])).toBe('scan_incomplete');
    expect(ask([given('pip-audit.json'), image], [...lock, marked])).toBe('none');
    // two reports may share the lock between them
    const half = (from: number, until: number) => ({
      ...dependencies,
      packages: dependencies.packages!.slice(from, until),
    });
    expect(ask([half(0, 2), image])).toBe('scan_incomplete');
    expect(ask([half(0, 2), half(2, 9), image])).toBe('none');
  });

  it('a version that a scanner writes otherwise is the same, and another one is not', () => {
    const ask = (locked: string, scanned: string) =>
      codeOf(() =>
        requireScans([scanOf([], { packages: [{ name: 'numpy', version: scanned }] })], {
          policy: policyOf({ require: ['dependencies'] }),
          lock: [{ name: 'numpy', version: locked }],
        }),
      );
    for (const [locked, scanned] of [
      ['2.0.0-RC.1', '2.0.0rc1'],
      ['1.0', '1.0.0'],
      ['1.0-1', '1.0.post1'],
    ] as const)
      expect([locked, ask(locked, scanned)]).toEqual([locked, 'none']);
    for (const [locked, scanned] of [
      ['1.0', '1.0.1'],
      ['1.0', '1.0rc1'],
      ['2.5.0', '2.5.0+cpu'],
      ['1!1.0', '1.0'],
    ] as const)
      expect([locked, ask(locked, scanned)]).toEqual([locked, 'scan_incomplete']);
  });

  it('a scan that lists no packages is heeded, but proves nothing', () => {
    const scan = scanOf([], { packages: null });
    expect(requireScans([scan], { policy: policyOf({}), lock })).toBe(false);
    expect(
      codeOf(() => requireScans([scan], { policy: policyOf({ require: ['dependencies'] }), lock })),
    ).toBe('scan_incomplete');
  });
});

describe('[GOV-8] [GOV-3] what follows from findings', () => {
  it('a critical one stops, and is named with package and fixed version', () => {
    const [check] = judge([finding]).checks;
    expect(check).toMatchObject({ verdict: 'fail', effect: 'blocks', kind: 'scan' });
    expect(check?.reason).toBe(
      'Scanner has 1 finding in the dependencies that stops the candidate: GHSA-1 (CVE-2099-1) in numpy 1.0, critical, fixed in 1.1.',
    );
  });

  it('lower ones are noted, and a stricter policy stops them', () => {
    const high: Finding = { ...finding, severity: 'high', fixed_in: [] };
    expect(judge([high]).checks[0]?.reason).toBe(
      'Scanner found nothing critical in 1 package of the dependencies; besides 1 of lower severity.',
    );
    const [check] = judge([high], { fail_at: 'high' }).checks;
    expect(check).toMatchObject({ verdict: 'fail' });
    expect(check?.reason).toContain('no fixed version is known');
    expect(judge([high], { fail_at: 'low' }).checks[0]?.verdict).toBe('fail');
  });

  it('not known is not harmless', () => {
    const unknown: Finding = { ...finding, severity: 'unknown' };
    expect(judge([unknown]).checks).toMatchObject([{ verdict: 'fail' }]);
    expect(judge([unknown], { unknown: 'warn' }).checks).toMatchObject([
      { verdict: 'pass', effect: 'blocks' },
      { verdict: 'inconclusive', effect: 'warns' },
    ]);
  });

  it('an acceptance holds until its last day, for its package alone', () => {
    const accept = (part: object) => ({
      accept: [{ id: 'cve-2099-1', until: '2026-06-01', reason: 'not called', ...part }],
    });
    expect(judge([finding], accept({})).checks[0]).toMatchObject({
      verdict: 'pass',
      reason: expect.stringContaining('1 accepted'),
    });
    for (const [part, today] of [
      [{}, '2026-06-02'],
      [{}, null],
      [{ package: 'scipy' }, '2026-06-01'],
      [{ id: 'CVE-2099-2' }, '2026-06-01'],
    ] as const)
      expect(judge([finding], accept(part), today).checks[0]?.verdict).toBe('fail');
    expect(judge([finding], accept({ package: 'NumPy' })).checks[0]?.verdict).toBe('pass');
    const over = judge([finding], accept({}), '2026-06-02').checks[0]?.reason;
    expect(over).toContain('accepted until 2026-06-01 and no longer');
    expect(() => policyOf({ accept: [{ id: 'a', until: 'soon', reason: 'b' }] })).toThrow();
    expect(() => policyOf({ accept: [{ id: 'a', until: '2026-06-01', reason: ' ' }] })).toThrow();
  });

  it('however many there are, the record is bounded and the worst are in it', () => {
    const many = Array.from(
      { length: 5000 },
      (_, i): Finding => ({ ...finding, id: `L-${i}`, severity: 'low' }),
    );
    const { result, checks } = judge([...many, finding]);
    expect(result.findings).toHaveLength(100);
    expect(result.findings[0]?.id).toBe('GHSA-1');
    expect(result).toMatchObject({ left_out: 4901, counts: { stops: 1, below: 5000 } });
    expect(checks[0]?.reason.length).toBeLessThan(400);
  });

  it('however long names are, gate.json can be read back', () => {
    const long = (letter: string) => letter.repeat(500);
    const many = Array.from({ length: 300 }, (): Finding => {
      const names = Array.from({ length: 20 }, () => long('n'));
      return {
        ...finding,
        id: long('i'),
        aliases: names,
        fixed_in: names,
        package: long('p'),
        version: long('v'),
      };
    });
    const { result, checks } = judge(many);
    expect(JSON.stringify(result).length * 20).toBeLessThan(8_000_000);
    expect(checks[0]?.reason.length).toBeLessThan(2000);
  });

  it('holds for any findings: one that counts and is not accepted never passes', () => {
    const severity = fc.constantFrom(...Severity.options);
    const findings = fc.array(fc.record({ severity, id: fc.constantFrom('A', 'B', 'C') }), { maxLength: 8 });
    const policy = fc.record({
      fail_at: fc.constantFrom('critical', 'high', 'medium', 'low'),
      unknown: fc.constantFrom('fail', 'warn'),
    });
    fc.assert(
      fc.property(findings, policy, fc.boolean(), (given, chosen, over) => {
        const accept = [{ id: 'A', until: '2026-06-01', reason: 'x' }];
        const all = given.map((one): Finding => ({ ...finding, aliases: [], ...one }));
        const { checks } = judge(all, { ...chosen, accept }, over ? '2026-06-02' : '2026-06-01');
        const order = ['critical', 'high', 'medium', 'low'];
        const counts = given.some(
          (one) =>
            (over || one.id !== 'A') &&
            (one.severity === 'unknown'
              ? chosen.unknown === 'fail'
              : order.indexOf(one.severity) <= order.indexOf(chosen.fail_at)),
        );
        expect(checks[0]?.verdict).toBe(counts ? 'fail' : 'pass');
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

describe('[GOV-8] reports that hide something', () => {
  const severities = (report: unknown) => read(report).findings.map(({ severity }) => severity);
  const sarifOf = (run: object) => ({
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 's' } }, ...run }],
  });
  const rule = (id: string, score: string) => ({ id, properties: { 'security-severity': score } });

  it('SARIF: findings in another file are not read as none', () => {
    const aside = { externalPropertyFileReferences: { results: [{ location: { uri: 'x' }, itemCount: 9 }] } };
    const run = { results: [], invocations: [{ executionSuccessful: true }] };
    expect(codeOf(() => read(sarifOf({ ...run, ...aside })))).toBe('scan_unreadable');
    expect(codeOf(() => read(sarifOf(run)))).toBe('none');
  });

  it('SARIF: what is not decided counts, what passed does not', () => {
    const results = ['open', 'review', 'fail', undefined, 'pass', 'notApplicable', 'informational'].map(
      (kind) => ({ ruleId: 'A', kind, properties: { 'security-severity': '9.8' } }),
    );
    expect(severities(sarifOf({ results }))).toEqual(Array(4).fill('critical'));
  });

  it('SARIF: the rule of its id counts, not another at its index', () => {
    const tool = {
      driver: { name: 's', rules: [rule('low', '1.0')] },
      extensions: [{ name: 'e', rules: [rule('bad', '9.8'), rule('low', '9.1')] }],
    };
    const results = [
      { ruleId: 'bad', rule: { index: 0, toolComponent: { name: 'e' } } },
      { ruleId: 'bad', ruleIndex: 0 },
      { ruleId: 'bad/part/of/it' },
      { ruleId: 'low' },
      { ruleId: 'low', ruleIndex: 0 },
      { rule: { index: 0, toolComponent: { index: 0 } } },
      { ruleId: 'nowhere', ruleIndex: 0 },
    ];
    expect(severities(sarifOf({ tool, results }))).toEqual([
      ...Array(4).fill('critical'),
      ...['low', 'critical', 'unknown'],
    ]);
  });

  it('SARIF: a severity in words counts, and a broken one of a result hides no rule’s', () => {
    const tool = { driver: { name: 's', rules: [rule('A', 'Critical'), rule('B', '9.8')] } };
    const results = [
      { ruleId: 'A' },
      { ruleId: 'B', properties: { 'security-severity': '9,8' } },
      { ruleId: 'C', properties: { 'security-severity': 'HIGH' } },
    ];
    expect(severities(sarifOf({ tool, results }))).toEqual(['critical', 'critical', 'high']);
  });

  it('OSV-Scanner: a malicious package is critical, a group without ids is a finding, vendored code has a name', () => {
    const about = { name: 'reqests', version: '1.0', ecosystem: 'PyPI' };
    const vendored = { name: '', version: '', commit: 'c0ffee' };
    const report = {
      experimental_config: {},
      results: [
        {
          source: { path: 'x', type: 'lockfile' },
          packages: [
            { package: about, vulnerabilities: [{ id: 'MAL-2099-1' }], groups: [{ ids: ['MAL-2099-1'] }] },
            { package: vendored, groups: [{ max_severity: '9.8' }] },
            {
              package: about,
              vulnerabilities: [{ id: 'GHSA-1', database_specific: { severity: 'CRITICAL' } }],
              groups: [{ ids: ['GHSA-1'], max_severity: 'CVSS:3.1/AV:N' }],
            },
          ],
        },
      ],
    };
    const { findings, packages } = read(report);
    expect(findings.map((one) => [one.id, one.package, one.severity])).toEqual([
      ['MAL-2099-1', 'reqests', 'critical'],
      ['(no id)', 'c0ffee', 'critical'],
      ['GHSA-1', 'reqests', 'critical'],
    ]);
    expect(packages).toContainEqual({ name: 'c0ffee', version: null });
  });

  it('a package of another language does not stand for one of the lock', () => {
    const policy = policyOf({ require: ['dependencies'] });
    const own = [{ name: 'numpy', version: '1.0' }];
    const osv = (ecosystem: string) => ({
      experimental_config: {},
      results: [{ source: { path: 'x' }, packages: [{ package: { ...own[0], ecosystem } }] }],
    });
    const trivy = (Type: string) => ({
      ...{ SchemaVersion: 2, ArtifactName: '.', ArtifactType: 'filesystem' },
      Results: [{ Target: 'x', Type, Packages: [{ Name: 'numpy', Version: '1.0' }] }],
    });
    const asked = [osv('PyPI'), trivy('pip'), trivy('uv'), osv('npm'), trivy('npm')].map((report) =>
      codeOf(() =>
        requireScans([{ ...read(report), sha256: 'a'.repeat(64) }], {
          policy,
          lock: [{ name: 'NumPy', version: '1.0' }],
        }),
      ),
    );
    expect(asked).toEqual(['none', 'none', 'none', 'scan_incomplete', 'scan_incomplete']);
  });

  it('Grype: an advisory about several is not accepted by the name of one', () => {
    const match = (...related: string[]) => ({
      vulnerability: { id: 'RHSA-1', severity: 'Critical' },
      relatedVulnerabilities: related.map((id) => ({ id })),
      artifact: { name: 'openssl', version: '1' },
    });
    const { findings } = read({
      matches: [match('CVE-2099-1'), match('CVE-2099-1', 'CVE-2099-2')],
      source: { type: 'image', target: { userInput: 'a', imageID: 'sha256:1' } },
      descriptor: { name: 'grype', version: '1' },
    });
    const accept = [{ id: 'CVE-2099-1', until: '2026-06-01', reason: 'not called' }];
    expect(judge(findings, { accept }).result.counts).toMatchObject({ accepted: 1, stops: 1 });
  });

  it.each(['\r', '\v', '\f', '\x1c', '\x85', '\u2028'])(
    'a lock with a line that only pip sees: %j',
    (end) => {
      const hash = `--hash=sha256:${'a'.repeat(64)}`;
      const text = `numpy==1.0 ${hash}\n# a comment${end}evil==1.0 ${hash}\n`;
      expect(codeOf(() => parseLock(text, 'requirements.lock'))).toBe('environment_unpinned');
      expect(parseLock(`numpy==1.0 \\\r\n  ${hash}\r\n`, 'requirements.lock')).toHaveLength(1);
    },
  );
});
