import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/**
 * Signs a request of S3 anew (AWS Signature Version 4) after headers were left out that its signature covers: a proxy
 * that changes a request must. Gives the Authorization header.
 */
export function signAgain(request: {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  secret: string;
}): string {
  const { headers } = request;
  const given = /Credential=([^,]+), *SignedHeaders=([^,]+),/.exec(headers.authorization ?? '');
  const [credential = '', signed = ''] = given?.slice(1) ?? [];
  const [key, date = '', region = '', service = '', kind = ''] = credential.split('/');
  const names = signed.split(';').filter((name) => headers[name] !== undefined);
  const { pathname, search } = new URL(request.url, 'http://localhost');
  const query = search.slice(1).split('&').filter(Boolean).sort();
  const canonical = [
    request.method,
    pathname,
    query.map((part) => (part.includes('=') ? part : `${part}=`)).join('&'),
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = [date, region, service, kind].join('/');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash].join('\n');
  const secrets = [date, region, service, kind].reduce<string | Buffer>(hmac, `AWS4${request.secret}`);
  const signature = hmac(secrets, text).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${key}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}
