import type { Delivery } from '../deliveries.ts';
import { HttpError, invalid, notFound } from '../errors.ts';
import * as render from '../render.ts';
import type { Installation } from '../state.ts';
import { type Call, type Handlers, page, repositoryOf } from './call.ts';

function installationOf(call: Call, which: (one: Installation) => boolean): Installation {
  const found = call.github.installations.find((one) => one.app === call.actor.app && which(one));
  if (found === undefined) throw notFound();
  return found;
}

function delivery(one: Delivery, full: boolean): Record<string, unknown> {
  return {
    id: one.id,
    guid: one.guid,
    delivered_at: one.deliveredAt,
    redelivery: one.redelivery,
    duration: one.duration,
    status: one.status,
    status_code: one.statusCode,
    event: one.event,
    action: one.action,
    installation_id: one.installation,
    repository_id: one.repository,
    throttled_at: null,
    ...(full
      ? {
          url: 'https://bot.test/',
          request: { headers: {}, payload: JSON.parse(one.body) },
          response: { headers: {}, payload: null },
        }
      : {}),
  };
}

export const apps: Handlers = {
  'apps/get-authenticated': (call) => ({ status: 200, body: render.app(call.actor.app!) }),
  'apps/list-installations': (call) =>
    page(
      call,
      call.github.installations.filter((one) => one.app === call.actor.app),
      (one) => render.installation(one, call.github.url),
    ),
  'apps/get-installation': (call) => ({
    status: 200,
    body: render.installation(
      installationOf(call, (one) => one.id === Number(call.parameters.installation_id)),
      call.github.url,
    ),
  }),
  'apps/get-repo-installation': (call) => {
    const { owner } = repositoryOf(call);
    return {
      status: 200,
      body: render.installation(
        installationOf(call, (one) => one.account === owner),
        call.github.url,
      ),
    };
  },
  'apps/get-org-installation': (call) => ({
    status: 200,
    body: render.installation(
      installationOf(call, (one) => one.account.login === call.parameters.org),
      call.github.url,
    ),
  }),
  'apps/create-installation-access-token': (call) => {
    const installation = installationOf(call, (one) => one.id === Number(call.parameters.installation_id));
    const wanted = (call.body ?? {}) as {
      permissions?: Record<string, 'read' | 'write'>;
      repositories?: string[];
      repository_ids?: number[];
    };
    const granted = installation.app.permissions;
    for (const [name, level] of Object.entries(wanted.permissions ?? {})) {
      if (granted[name] !== 'write' && granted[name] !== level) {
        throw invalid('The permissions requested are not granted to this installation.');
      }
    }
    const own = [...call.github.repositories.values()].filter((one) => one.owner === installation.account);
    const chosen = own.filter(
      (one) => wanted.repositories?.includes(one.name) || wanted.repository_ids?.includes(one.id),
    );
    const narrowed = wanted.repositories !== undefined || wanted.repository_ids !== undefined;
    if (narrowed && chosen.length === 0)
      throw invalid('There is at least one repository that does not exist');
    const permissions = wanted.permissions ?? granted;
    const token = call.github.addToken({
      user: installation.app.bot,
      app: installation.app,
      permissions,
      repositories: narrowed ? new Set(chosen.map((one) => one.fullName.toLowerCase())) : null,
      installation,
    });
    const expires = new Date(call.github.now().getTime() + 3_600_000);
    return {
      status: 201,
      body: {
        token,
        expires_at: `${expires.toISOString().slice(0, 19)}Z`,
        permissions,
        repository_selection: narrowed ? 'selected' : 'all',
        ...(narrowed ? { repositories: chosen.map(render.repository) } : {}),
      },
    };
  },
  'apps/list-repos-accessible-to-installation': (call) => {
    const { installation, repositories } = call.actor;
    if (installation === null) throw new HttpError(403, 'Resource not accessible');
    const seen = [...call.github.repositories.values()].filter(
      (one) =>
        one.owner === installation.account &&
        (repositories === null || repositories.has(one.fullName.toLowerCase())),
    );
    return page(call, seen, render.repository, 'repositories');
  },
  'apps/list-webhook-deliveries': (call) => {
    const size = Number(call.query.per_page ?? 30);
    const newest = call.github.deliveries.list.toReversed();
    const after =
      call.query.cursor === undefined
        ? 0
        : newest.findIndex((one) => `v1_${one.id}` === call.query.cursor) + 1;
    const items = newest.slice(after, after + size);
    const more = after + size < newest.length;
    const next = `${call.github.url}/app/hook/deliveries?per_page=${size}&cursor=v1_${items.at(-1)?.id}`;
    return {
      status: 200,
      body: items.map((one) => delivery(one, false)),
      ...(more ? { headers: { link: `<${next}>; rel="next"` } } : {}),
    };
  },
  'apps/get-webhook-delivery': (call) => {
    const found = call.github.deliveries.list.find((one) => one.id === Number(call.parameters.delivery_id));
    if (found === undefined) throw notFound();
    return { status: 200, body: delivery(found, true) };
  },
  'apps/redeliver-webhook-delivery': (call) => {
    if (!call.github.deliveries.redeliver(Number(call.parameters.delivery_id))) throw notFound();
    return { status: 202, body: {} };
  },
  'apps/create-from-manifest': (call) => {
    // each is good for one exchange
    if (!call.github.manifestCodes.delete(call.parameters.code ?? '')) throw notFound();
    return {
      status: 201,
      body: {
        ...render.app(call.github.app),
        client_secret: 'a client secret',
        webhook_secret: call.github.deliveries.secret,
        pem: call.github.app.privateKey,
      },
    };
  },
};
