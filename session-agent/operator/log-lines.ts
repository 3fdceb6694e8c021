/** The fields that stand at the front of a line, or say nothing to who has asked for this very log. */
const known = ['time', 'level', 'msg', 'program', 'pid', 'hostname', 'v'];

/** A line of our own programs, which log JSON; undefined for what an app has said. */
const objectIn = (line: string): Record<string, unknown> | undefined => {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

/** A word as it is, anything else as JSON; of an error its message, whose stack is for --json. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'message' in value) return shown(value.message);
  return JSON.stringify(value);
};

/** "2026-11-21T14:00:00.000Z warn  the link was lost  close_code=1006 reason=..."; what is no line of ours stays as it is. */
export const lineForPeople = (line: string): string => {
  const found = objectIn(line);
  if (found === undefined || typeof found.msg !== 'string') return line;
  const facts = Object.entries(found).filter(([name]) => !known.includes(name));
  const front = [String(found.time ?? ''), String(found.level ?? '').padEnd(5), found.msg].join(' ');
  // A control character in a text of others could steer the terminal.
  return [
    front,
    ...(facts.length === 0 ? [] : [facts.map(([name, value]) => `${name}=${shown(value)}`).join(' ')]),
  ]
    .join('  ')
    .replace(/[^\P{Cc}]/gu, '?');
};

/** The line as one JSON object, whoever has said it; with the file when there are several. */
export const lineForPrograms = (line: string, file: string | undefined): string => {
  const found = objectIn(line) ?? { text: line };
  return JSON.stringify(file === undefined ? found : { file, ...found });
};
