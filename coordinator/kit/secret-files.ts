import { resolve } from 'node:path';
import { type ConfigProblem, describeProblem, lineOfKey } from '../../shared/config.ts';
import type { Log } from '../../shared/log.ts';
import { readText } from '../../shared/text-file.ts';
import type { Configuration } from './settings.ts';

/** What configuration.json only names the file of, so that it can be shown around. */
export type SecretName = 'turn' | 'metrics';

/** The files of the secrets, read again with the configuration. */
export interface SecretFiles {
  /** The last good content, while the configuration names a file; without the space around it. */
  value(name: SecretName): string | undefined;
  problems(): readonly ConfigProblem[];
  /** Says whether a value is a new one. Never rejects. */
  refresh(configuration: Configuration): Promise<boolean>;
}

type Named = readonly [name: SecretName, key: string, file: string];

const named = ({ turn, metrics_token_file }: Configuration): Named[] => {
  const found: Named[] = [];
  if (turn !== undefined) found.push(['turn', 'turn.secret_file', turn.secret_file]);
  if (metrics_token_file !== undefined) found.push(['metrics', 'metrics_token_file', metrics_token_file]);
  return found;
};

/** The files of secrets that the configuration names, as it names them. */
export const secretPaths = (configuration: Configuration): string[] =>
  named(configuration).map(([, , file]) => file);

const readSecret = async (file: string): Promise<{ secret: string } | { failure: string }> => {
  try {
    const secret = (await readText(file)).trim();
    return secret === '' ? { failure: `${file} is empty` } : { secret };
  } catch (error) {
    return { failure: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
};

/** A file that cannot be read leaves its last good content in force; each distinct breakage is logged once. */
export const secretFiles = (directory: string, configuration_file: string, log: Log): SecretFiles => {
  let values = new Map<SecretName, string>();
  let problems: readonly ConfigProblem[] = [];
  let reported = '';

  const report = () => {
    const described = problems.map(describeProblem);
    const now = described.join('\n');
    if (now !== '' && now !== reported) log.error({ problems: described }, 'a secret cannot be read');
    reported = now;
  };

  /** The file that named it may be gone or broken by now. */
  const lineOf = (key: string): Promise<number> =>
    readText(configuration_file).then(
      (text) => lineOfKey(text, key.split('.')),
      () => 1,
    );

  return {
    value: (name) => values.get(name),
    problems: () => problems,
    async refresh(configuration) {
      const wrong: ConfigProblem[] = [];
      const next = new Map<SecretName, string>();
      for (const [name, key, file] of named(configuration)) {
        const read = await readSecret(resolve(directory, file));
        const secret = 'secret' in read ? read.secret : values.get(name);
        if (secret !== undefined) next.set(name, secret);
        if ('failure' in read) {
          wrong.push({ file: configuration_file, line: await lineOf(key), key, text: read.failure });
        }
      }
      const changed = !Bun.deepEquals([...next], [...values]);
      values = next;
      problems = wrong;
      report();
      return changed;
    },
  };
};
