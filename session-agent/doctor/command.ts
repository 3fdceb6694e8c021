import { type DoctorOptions, doctor } from './doctor.ts';
import type { Line, Report } from './line.ts';

const column = Math.max(...['TURN over UDP', 'coordinator', 'state folder'].map(({ length }) => length));

/** One or two lines of text: "fail  DNS            x: the name does not exist", and what to do. */
const describeLine = ({ name, state, found, advice }: Line): string => {
  const text = `${state.padEnd(4)}  ${name.padEnd(column)}  ${found}`;
  return advice === undefined ? text : `${text}\n      ${' '.repeat(column)}  -> ${advice}`;
};

/** `session-agent doctor`: prints each line as it comes, or the report as JSON. The exit code: 1 when something failed. */
export const runDoctor = async (
  options: Omit<DoctorOptions, 'show'>,
  json: boolean,
  say: (text: string) => void,
): Promise<number> => {
  const lines = await doctor({ ...options, ...(json ? {} : { show: (line) => say(describeLine(line)) }) });
  const report: Report = { ok: lines.every(({ state }) => state !== 'fail'), lines };
  if (json) say(JSON.stringify(report, null, 2));
  return report.ok ? 0 : 1;
};
