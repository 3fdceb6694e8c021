import { describeProblem, editConfig, parseConfig } from '../../shared/config.ts';
import { readTextSync } from '../../shared/text-file.ts';
import { type AgentConfig, configSchema, launchProblem } from '../config.ts';
import { writePrivateFile } from './private-file.ts';
import { adviceOn, Failed } from './surroundings.ts';

/** The lines of `apps list`, each app with what keeps it from being launched. */
export const listApps = ({
  apps,
  apps_folders,
}: Pick<AgentConfig, 'apps' | 'apps_folders'>): Promise<string[]> =>
  Promise.all(
    apps.map(async (app) => {
      const problem = await launchProblem(app, apps_folders);
      const command = [app.path, ...app.arguments].join(' ');
      return `${app.rc_name}  ${command}${problem === undefined ? '' : `\n  cannot be launched: ${problem}`}`;
    }),
  );

/** Writes config.json with one of its values changed, if it is still good then. */
const change = (file: string, path: (string | number)[], value: unknown): void => {
  const text = editConfig(readTextSync(file), path, value);
  const parsed = parseConfig(text, file, configSchema);
  if ('problems' in parsed) throw new Failed(parsed.problems.map(describeProblem).join('\n'));
  try {
    writePrivateFile(file, text);
  } catch (error) {
    throw new Failed(`${file} cannot be written: ${adviceOn(error)}`);
  }
};

/** What is written of a new app of which neither arguments nor engine are said; an engine brings its own. */
const unreal_arguments = [
  '-RenderOffscreen',
  '-Unattended',
  '-AudioMixer',
  '-ForceRes',
  '-ResX={width}',
  '-ResY={height}',
];

export interface NewApp {
  rc_name: string;
  path: string;
  arguments: readonly string[];
  /** "5.7" */
  engine?: string | undefined;
}

/** Adds an app to config.json; Failed when it cannot be launched, or is there already. */
export const addApp = async (
  { file, config }: { file: string; config: AgentConfig },
  { rc_name, path, arguments: given, engine }: NewApp,
): Promise<void> => {
  if (config.apps.some((app) => app.rc_name === rc_name)) {
    throw new Failed(`There is an app "${rc_name}" already.`);
  }
  const written = {
    rc_name,
    path,
    ...(engine === undefined ? {} : { engine }),
    arguments: given.length === 0 && engine === undefined ? unreal_arguments : given,
  };
  const { state_folder: _, ...said } = config;
  const parsed = configSchema.safeParse({ ...said, apps: [written] });
  if (!parsed.success) {
    const issue = parsed.error.issues.find(({ path: [where] }) => where === 'apps');
    throw new Failed(`${issue?.path.slice(2).join('.') || rc_name}: ${issue?.message ?? 'is wrong'}`);
  }
  const [app] = parsed.data.apps;
  const problem = app === undefined ? undefined : await launchProblem(app, config.apps_folders);
  if (problem !== undefined) throw new Failed(problem);
  const first = config.apps.length === 0;
  change(file, first ? ['apps'] : ['apps', config.apps.length], first ? [written] : written);
};

/** Takes an app out of config.json; its live sessions go on. Failed when there is none of that name. */
export const removeApp = ({ file, config }: { file: string; config: AgentConfig }, rc_name: string): void => {
  const index = config.apps.findIndex((app) => app.rc_name === rc_name);
  if (index < 0) throw new Failed(`config.json has no app "${rc_name}".`);
  change(file, ['apps', index], undefined);
};
