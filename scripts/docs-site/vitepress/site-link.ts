/** What of the site the pages' links need. Paths are those of the repository. */
export interface SiteLinks {
  /** Where a file stands on the site: `docs/gate.md` → `gate.md`. */
  pages: Readonly<Record<string, string>>;
  /** The address of the repository, for links to files that are no page. */
  repository: string;
}

/** Where a link of the page `source` leads on the site: to another page, else to the file on GitHub. */
export function siteLink(source: string, href: string, { pages, repository }: SiteLinks): string {
  if (/^([a-z][a-z0-9+.-]*:|#|\/)/i.test(href)) return href;
  const [, relative = '', hash = ''] = /^([^#]*)(#.*)?$/s.exec(href) ?? [];
  const { pathname } = new URL(relative, `file:///${source}`);
  const target = decodeURIComponent(pathname).replace(/^\//, '').replace(/\/$/, '');
  const page = pages[target] ?? pages[`${target}/README.md`];
  if (page !== undefined) return `/${page}${hash}`;
  const kind = /\.[^/]+$/.test(target) ? 'blob' : 'tree';
  return `${repository}/${kind}/main/${target}${hash}`;
}
