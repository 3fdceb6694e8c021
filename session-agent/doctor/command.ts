import { type DoctorOptions, doctor } from './doctor.ts';
import type { Line, Report } from './line.ts';

const USAGE = 'usage: session-agent doctor [--json] [--config FILE]';

export interface CommandNeeds extends Pick<DoctorOptions, 'environment' | 'platform' | 'clock' | 'ids'> {
  /** Where config.json is unless --config says so. */
  usual_file: string;
  say(text: string): void;
  complain(text: string): void;
}

const column = Math.max(...['TURN over UDP', 'coordinator', 'state folder'].map(({ length }) => length));

/** One or two lines of text: "fail  DNS            x: the name does not exist", and what to do. */
const describeLine = ({ name, state, found, advice }: Line): string => {
  const text = `${state.padEnd(4)}  ${name.padEnd(column)}  ${found}`;
  return advice === undefined ? text : `${text}\n      ${' '.repeat(column)}  -> ${advice}`;
};

const parse = (
  args: readonly string[],
  usual_file: string,
): { json: boolean; config_file: string } | undefined => {
  let json = false;
  let config_file = usual_file;
  for (let at = 0; at < args.length; at++) {
    const next = args[at + 1];
    if (args[at] === '--json') json = true;
    else if (args[at] === '--config' && next !== undefined) {
      config_file = next;
      at += 1;
    } else return undefined;
  }
  return { json, config_file };
};

/** `session-agent doctor`: prints each line as it comes, or the report as JSON. The exit code: 0, 1 when something failed, 2. */
export const runDoctor = async (args: readonly string[], needs: CommandNeeds): Promise<number> => {
  const { say, complain, usual_file, ...options } = needs;
  const flags = parse(args, usual_file);
  if (flags === undefined) {
    complain(USAGE);
    return 2;
  }
  const { json, config_file } = flags;
  const lines = await doctor({
    ...options,
    config_file,
    ...(json ? {} : { show: (line) => say(describeLine(line)) }),
  });
  const report: Report = { ok: lines.every(({ state }) => state !== 'fail'), lines };
  if (json) say(JSON.stringify(report, null, 2));
  return report.ok ? 0 : 1;
};
