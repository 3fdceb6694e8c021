/** What a coordinator that is not ours any more might send in the hope that a launch obeys it. */

const flags = [
  '-ExecCmds=quit',
  '-AllowPixelStreamingCommands',
  '-execcmds',
  '--ExecCmds=open',
  '-ini:Engine:[/Script/Engine.Engine]:bUseFixedFrameRate=1',
  '-abslog=/tmp/vitrina-steered',
  '-log=steered',
  '-PixelStreamingURL=ws://evil.example',
  '-PixelStreamingIP=203.0.113.9',
  '-PixelStreamingConnectionURL=ws://evil.example',
  '-game',
  '/ExecCmds=quit',
  '--help',
  '-c',
  '--',
  '-',
  '@/etc/passwd',
  'touch /tmp/vitrina-steered',
  '{streamer_url}',
  '{session_id}{language}',
  '__proto__',
  'constructor',
  'x-AllowPixelStreamingCommands',
  'LD_PRELOAD=/tmp/vitrina-steered.so',
  'NODE_OPTIONS=--require=/tmp/vitrina-steered.js',
  'BUN_OPTIONS=--preload=/tmp/vitrina-steered.js',
  'a'.repeat(64),
  'a'.repeat(65),
];

const wrappings: ((flag: string) => string)[] = [
  (flag) => flag,
  (flag) => ` ${flag}`,
  (flag) => `abc ${flag}`,
  (flag) => `abc\t${flag}`,
  (flag) => `abc\n${flag}`,
  (flag) => `abc\0${flag}`,
  (flag) => `abc" ${flag} "`,
  (flag) => `abc' ${flag} '`,
  (flag) => `abc\\" ${flag}`,
  (flag) => `abc;${flag}`,
  (flag) => `abc && ${flag}`,
  (flag) => `abc|${flag}`,
  (flag) => `$(${flag})`,
  (flag) => `\`${flag}\``,
  (flag) => `%PATH%^&${flag}`,
  (flag) => `abc\u2028${flag}`,
  (flag) => `\u202e${flag}`,
  (flag) => flag.replaceAll('-', '\u2010'),
  (flag) => `${'x'.repeat(9_000)} ${flag}`,
];

/** More than 500. */
export const hostileStrings: string[] = [
  ...new Set(wrappings.flatMap((wrap) => flags.map((flag) => wrap(flag)))),
];

const targets = [
  '/bin/sh',
  '/usr/bin/env',
  '/etc/passwd',
  '/proc/self/exe',
  '/proc/1/cwd/bin/sh',
  '/dev/fd/0',
  '../../../../../../bin/sh',
  './Game',
  '~/.ssh/id_rsa',
  'file:///bin/sh',
  'http://evil.example/x.sh',
  'C:\\Windows\\System32\\cmd.exe',
  'C:\\Program Files\\Game\\Game.exe',
  'C:\\Program.exe',
  '\\\\evil.example\\share\\game.exe',
  '\\\\?\\C:\\Windows\\System32\\cmd.exe',
  'CON',
  'powershell',
];

const bends: ((target: string) => string)[] = [
  (target) => target,
  (target) => `${target}/`,
  (target) => `${target}\0.png`,
  (target) => `${target}.bat`,
  (target) => `${target}.cmd. `,
  (target) => `${target}::$DATA`,
  (target) => ` ${target}`,
  (target) => target.replaceAll('/', '//'),
  (target) => target.replaceAll('/', '%2f').replaceAll('.', '%2e'),
  (target) => `/opt/games/..${target}`,
  (target) => `/opt/games/../../..${target}`,
  (target) => `${'/.'.repeat(2_000)}${target}`,
];

/** More than 200. */
export const hostilePaths: string[] = [
  ...new Set(bends.flatMap((bend) => targets.map((target) => bend(target)))),
];
