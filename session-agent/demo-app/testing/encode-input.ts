import { type FieldType, field_bytes, type Input, toStreamer, utf16 } from '../data-channel.ts';

/** What the page sends. Numbers wrap like DataView's setters, as in Epic's page. */
export const encodeInput = (input: Input): Uint8Array => {
  const { id, fields } = toStreamer[input.name];
  const values = Object.entries(input);
  const parts: Uint8Array[] = [Uint8Array.of(id)];
  for (const [field, type] of Object.entries<FieldType>(fields)) {
    const value = values.find(([name]) => name === field)?.[1] ?? 0;
    const part = new DataView(new ArrayBuffer(field_bytes[type]));
    if (type === 'uint8') part.setUint8(0, Number(value));
    else if (type === 'uint16') part.setUint16(0, Number(value), true);
    else if (type === 'int16') part.setInt16(0, Number(value), true);
    else if (type === 'double') part.setFloat64(0, Number(value), true);
    else part.setUint16(0, String(value).length, true);
    parts.push(new Uint8Array(part.buffer));
    if (type === 'string') parts.push(utf16(String(value)));
  }
  return new Uint8Array(Buffer.concat(parts));
};
