import { createHmac, randomUUID } from 'node:crypto';
import type { App } from './state.ts';

export interface Webhook {
  headers: Record<string, string>;
  body: string;
}
/** A URL, or a function that gives the HTTP status of its answer. */
export type DeliverTo = string | ((webhook: Webhook) => number | Promise<number>);

export interface Delivery {
  id: number;
  guid: string;
  event: string;
  action: string | null;
  installation: number;
  repository: number | null;
  body: string;
  deliveredAt: string;
  /** Seconds. */
  duration: number;
  redelivery: boolean;
  /** 0 while it is on its way. */
  statusCode: number;
  status: string;
}

/** What becomes of a delivery: so many copies, one after another after a wait; none: it is lost on the way. */
export interface DeliveryPlan {
  copies: number;
  waitMilliseconds?: number;
}

interface Setup {
  app: App;
  secret: string;
  to: DeliverTo | null;
  id: () => number;
  time: () => string;
}

/** The app's hook: signs what happened, sends it, and remembers how it was answered. */
export class Deliveries {
  /** The oldest first. */
  readonly list: Delivery[] = [];
  /** Where webhooks go. */
  to: DeliverTo | null;
  readonly secret: string;
  /** Without a plan each goes once, at once. */
  plan: ((delivery: Delivery) => DeliveryPlan) | null = null;
  /** GitHub gives up after ten seconds. */
  timeoutMilliseconds = 10_000;
  private held: Delivery[] | null = null;
  private readonly setup: Setup;
  private readonly sending = new Set<Promise<void>>();

  constructor(setup: Setup) {
    this.setup = setup;
    this.secret = setup.secret;
    this.to = setup.to;
  }

  add(what: {
    event: string;
    action: string | null;
    payload: unknown;
    installation: number;
    repository: number | null;
  }): Delivery {
    const { payload, ...rest } = what;
    return this.enter({ ...rest, guid: randomUUID(), body: JSON.stringify(payload), redelivery: false });
  }

  /** As POST /app/hook/deliveries/{id}/attempts does: the same guid and bytes, a new entry. */
  redeliver(id: number): boolean {
    const found = this.list.find((one) => one.id === id);
    if (found === undefined) return false;
    const { event, action, installation, repository, guid, body } = found;
    this.enter({ event, action, installation, repository, guid, body, redelivery: true });
    return true;
  }

  private enter(what: Omit<Delivery, 'id' | 'deliveredAt' | 'duration' | 'statusCode' | 'status'>): Delivery {
    const delivery: Delivery = {
      ...what,
      id: this.setup.id(),
      deliveredAt: this.setup.time(),
      duration: 0,
      statusCode: 0,
      status: 'pending',
    };
    this.list.push(delivery);
    if (this.held === null) this.dispatch(delivery);
    else this.held.push(delivery);
    return delivery;
  }

  /** Keeps new deliveries back until `release`. */
  hold(): void {
    this.held ??= [];
  }

  /** Sends what was kept back, in this order: may repeat some, leave some out, turn them around. */
  release(order: (held: readonly Delivery[]) => readonly Delivery[] = (held) => held): void {
    const waiting = this.held ?? [];
    this.held = null;
    const chosen = order(waiting);
    for (const lost of waiting.filter((one) => !chosen.includes(one))) markLost(lost);
    for (const delivery of chosen) this.dispatch(delivery);
  }

  get busy(): boolean {
    return this.sending.size > 0;
  }

  async settled(): Promise<void> {
    while (this.sending.size > 0) await Promise.all(this.sending);
  }

  /** The request that carries a delivery, signed. */
  webhook(delivery: Delivery): Webhook {
    const sign = (algorithm: string) =>
      `${algorithm}=${createHmac(algorithm, this.secret).update(delivery.body).digest('hex')}`;
    return {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/fake',
        'x-github-delivery': delivery.guid,
        'x-github-event': delivery.event,
        'x-github-hook-id': '1',
        'x-github-hook-installation-target-id': String(this.setup.app.id),
        'x-github-hook-installation-target-type': 'integration',
        'x-hub-signature': sign('sha1'),
        'x-hub-signature-256': sign('sha256'),
      },
      body: delivery.body,
    };
  }

  private dispatch(delivery: Delivery): void {
    const { copies, waitMilliseconds = 0 } = this.plan?.(delivery) ?? { copies: 1 };
    if (copies === 0) {
      markLost(delivery);
      return;
    }
    const work = this.send(delivery, copies, waitMilliseconds).finally(() => this.sending.delete(work));
    this.sending.add(work);
  }

  private async send(delivery: Delivery, copies: number, wait: number): Promise<void> {
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const webhook = this.webhook(delivery);
    for (let n = 0; n < copies; n++) {
      const began = performance.now();
      delivery.statusCode = await this.post(webhook);
      delivery.duration = (performance.now() - began) / 1000;
      delivery.status = delivery.statusCode < 400 ? 'OK' : `Invalid HTTP Response: ${delivery.statusCode}`;
    }
  }

  private async post(webhook: Webhook): Promise<number> {
    const to = this.to;
    if (to === null) return 200;
    try {
      if (typeof to !== 'string') return await to(webhook);
      const signal = AbortSignal.timeout(this.timeoutMilliseconds);
      const response = await fetch(to, { method: 'POST', ...webhook, signal });
      await response.arrayBuffer();
      return response.status;
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 504 : 502;
    }
  }
}

function markLost(delivery: Delivery): void {
  delivery.statusCode = 502;
  delivery.status = 'failed to connect to host';
}
