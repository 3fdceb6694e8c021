import { type Refusal, refuse } from '../../shared/errors.ts';

/** A session must not be longer than it may be from its beginning on; malformed. */
export const checkMinutes = (app: {
  readonly default_minutes: number;
  readonly max_minutes: number;
}): Refusal | undefined =>
  app.max_minutes < app.default_minutes
    ? refuse('malformed', 'max_minutes: less than default_minutes')
    : undefined;

/** What servers.json says of apps and hosts; an edit of it would be undone when that file is read next. */
const said_by_file: readonly string[] = ['title', 'description', 'picture', 'apps', 'key', 'name'];

/** Whether these fields may be changed by somebody else than servers.json; managed_by_file. */
export const checkSource = (source: 'file' | 'rest', fields: readonly string[]): Refusal | undefined => {
  const fixed = source === 'file' ? fields.filter((field) => said_by_file.includes(field)) : [];
  return fixed.length === 0 ? undefined : refuse('managed_by_file', fixed.join(', '));
};

type PictureType = 'png' | 'jpg' | 'webp' | 'avif';

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

/** The `ftyp` box at the beginning of an ISO media file names the formats that the file keeps to. */
const isAvif = (bytes: Uint8Array): boolean => {
  if (ascii(bytes, 4, 8) !== 'ftyp') return false;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const brands = ascii(bytes, 8, Math.min(size, 64, bytes.length)).match(/.{4}/gs) ?? [];
  return brands.some((brand) => brand === 'avif' || brand === 'avis');
};

/** What kind of picture these bytes are by their beginning, whatever their sender calls them. No SVG: it can hold scripts. */
export const pictureType = (bytes: Uint8Array): PictureType | undefined => {
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (ascii(bytes, 0, 3) === '\xff\xd8\xff') return 'jpg';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  return isAvif(bytes) ? 'avif' : undefined;
};

/** Whether it gets new sessions and bookings. What a host that does not is booked for goes elsewhere. */
export const takesNew = (host: {
  readonly draining: boolean;
  readonly quarantined_at: number | null;
}): boolean => !host.draining && host.quarantined_at === null;
