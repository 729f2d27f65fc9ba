import { z } from 'zod';

/** An image by its digest: what a tag means may change between the scan and the day on which it serves. */
export const ImageReference = z
  .string()
  .max(500)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$/,
    'expected an image by its digest, NAME@sha256:…, since a tag may be moved to another one',
  );
export type ImageReference = z.infer<typeof ImageReference>;
