import type { Ctx } from './http-env.ts';

/** A body that is the same for everybody, made once. `etag` changes with it. */
export interface Fixed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

export const fixed = (bytes: Uint8Array<ArrayBuffer>, type: string): Fixed => ({
  bytes,
  type,
  etag: `"${Bun.hash(bytes).toString(36)}"`,
});

/** Whether the caller has this version already. Compared weakly (RFC 9110, 13.1.2): a proxy that compresses marks tags with W/. */
export const hasCopy = (c: Ctx, etag: string): boolean => {
  const tags = c.req.header('if-none-match')?.split(',') ?? [];
  return tags.some((tag) => [etag, '*'].includes(tag.trim().replace(/^W\//, '')));
};

/** The body, or nothing to who has it already. */
export const answerFixed = (
  c: Ctx,
  { bytes, type, etag }: Fixed,
  headers: Readonly<Record<string, string>>,
): Response => {
  const always = { ...headers, ETag: etag };
  if (hasCopy(c, etag)) return new Response(null, { status: 304, headers: always });
  return new Response(bytes, { headers: { ...always, 'Content-Type': type } });
};
