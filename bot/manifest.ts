import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const Manifest = z.strictObject({
  name: z.string(),
  url: z.url(),
  description: z.string(),
  public: z.literal(false),
  default_events: z.array(z.string()),
  default_permissions: z.record(z.string(), z.enum(['read', 'write'])),
});

/** bot/app.yml as GitHub takes it, with where webhooks go and where the browser comes back to. */
export async function appManifest({
  webhookUrl,
  redirectUrl,
}: {
  webhookUrl: string;
  redirectUrl: string;
}): Promise<object> {
  const text = await readFile(new URL('./app.yml', import.meta.url), 'utf8');
  return {
    ...Manifest.parse(parse(text)),
    hook_attributes: { url: webhookUrl, active: true },
    redirect_url: redirectUrl,
  };
}
