import { escapeHtml } from '../src/report/plain.ts';

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color: #1f2328; background: #fff; }
button { font: inherit; padding: 0.5rem 1rem; border: 0; border-radius: 6px; background: #1f883d; color: #fff; cursor: pointer; }
code { background: #eff1f3; padding: 0.1rem 0.3rem; border-radius: 4px; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { color: #f0f6fc; background: #0d1117; }
  code { background: #262c36; }
}
</style>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;

/** One button that hands the manifest to GitHub, where a person reads and confirms it. */
export function startPage({
  action,
  manifest,
  webhookUrl,
  file,
}: {
  action: string;
  manifest: object;
  webhookUrl: string;
  file: string;
}): string {
  return page(
    'Make the GitHub App of ModelGate',
    `<p>GitHub shows what the app may do and asks for its name, which must be new on GitHub. It sends its webhooks to <code>${escapeHtml(webhookUrl)}</code>. Its key and secret then go into <code>${escapeHtml(file)}</code> on the machine where the bot was started, and nowhere else.</p>
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="manifest" value="${escapeHtml(JSON.stringify(manifest), 100_000)}">
<button>Go on at GitHub</button>
</form>`,
  );
}

export const donePage = ({ install, file }: { install: string; file: string }): string =>
  page(
    'The app is made',
    `<p>Its credentials are in <code>${escapeHtml(file)}</code>. <a href="${escapeHtml(install)}">Install it</a> on the model repositories, and on no others; then start the bot.</p>`,
  );

export const failedPage = (message: string): string =>
  page('The app is not set up', `<p>${escapeHtml(message)}</p>`);
