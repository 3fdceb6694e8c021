/** What `session-agent help` prints. */
export const HELP = `session-agent: starts Pixel Streaming sessions on this host, at a coordinator's word

  session-agent enroll URL --token=T [--ca F] make this machine a host of the coordinator at URL; writes config.json
  session-agent install [--user NAME] [--folder F] [--print]
                                              run it as a service, now and when the machine starts; --folder writes the service to F
                                              and does not start it, --print only shows it
  session-agent uninstall [--folder F]        end the service
  session-agent run                           connect to the coordinator and serve sessions, in this terminal

  session-agent status [--json]               what runs, the link, the last errors; exit code 0 when connected
  session-agent monit                         the same, live
  session-agent logs [SESSION] [--follow]     the agent's log, or the output of a session's programs
  session-agent apps list
  session-agent apps add [--engine 5.7] NAME PATH [ARGUMENTS...]
  session-agent apps remove NAME
  session-agent doctor [--json]               look at everything that this host needs, and say what to do
  session-agent update FILE|URL [--sha256 HEX] [--wait SECONDS] [--no-restart]
                                              replace this program by another release; the one before comes back when it does not connect

  session-agent signalling [flags]            run the Pixel Streaming signalling server alone; --help lists its flags
  session-agent version                       print the version
  session-agent help                          print this

  --config FILE says where config.json is; else it is beside this program, or in /etc/vitrina (Linux), %ProgramData%\\Vitrina (Windows).
`;

/** Whether `--help` stands where it is a word to session-agent: an app may have a `--help` of its own. */
const isAsked = (command: string, args: readonly string[]): boolean =>
  (command === 'apps' ? args.slice(0, 2) : args).includes('--help');

/** The lines of HELP on the command, when they are asked for; undefined otherwise, and for what has a help of its own. */
export const helpAsked = (command: string | undefined, args: readonly string[]): string | undefined => {
  if (command === undefined || command === 'signalling' || !isAsked(command, args)) return undefined;
  let here = false;
  const lines = HELP.split('\n').filter((line) => {
    const [, name] = /^ {2}session-agent (\w+)/.exec(line) ?? [];
    if (name !== undefined) here = name === command;
    else if (!line.startsWith('   ')) here = false;
    return here;
  });
  return lines.length === 0 ? undefined : lines.join('\n');
};
