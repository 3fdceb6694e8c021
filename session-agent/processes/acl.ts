import { join } from 'node:path';
import { outputOf, powershell } from './identity.ts';

/** By number, as the names are of the language of Windows: SYSTEM, Administrators, and whoever owns the file. */
const trusted = ['*S-1-5-18', '*S-1-5-32-544', '*S-1-3-4'];

const icacls = (system_root: string | undefined): string =>
  join(system_root ?? 'C:\\Windows', 'System32', 'icacls.exe');

/** Leaves a file to its owner, the system and administrators; what it inherits from its folder goes. */
export const restrictArguments = (file: string, system_root?: string): string[] => [
  icacls(system_root),
  file,
  '/inheritance:r',
  '/grant:r',
  ...trusted.map((who) => `${who}:F`),
];

/** Lets an account change a file, or a folder with all in it. */
export const grantArguments = (
  path: string,
  { user, folder }: { user: string; folder: boolean },
  system_root?: string,
): [string, ...string[]] => [icacls(system_root), path, '/grant', `${user}:${folder ? '(OI)(CI)' : ''}M`];

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Gives one file the rights that another has. */
export const copyScript = (from: string, to: string): string =>
  `Set-Acl -LiteralPath ${quoted(to)} -AclObject (Get-Acl -LiteralPath ${quoted(from)})`;

/** Prints the rights of a file in Windows' own words (SDDL). */
export const sddlScript = (file: string): string => `(Get-Acl -LiteralPath ${quoted(file)}).Sddl`;

/** Groups that hold more accounts than anybody has counted, by the words that SDDL has for them and by number. */
const crowds: Readonly<Record<string, string>> = {
  WD: 'Everyone',
  'S-1-1-0': 'Everyone',
  AU: 'Authenticated Users',
  'S-1-5-11': 'Authenticated Users',
  BU: 'Users',
  'S-1-5-32-545': 'Users',
  IU: 'Interactive',
  'S-1-5-4': 'Interactive',
  AN: 'Anonymous',
  'S-1-5-7': 'Anonymous',
  BG: 'Guests',
  'S-1-5-32-546': 'Guests',
  DU: 'Domain Users',
};

/** FILE_READ_DATA, GENERIC_READ and GENERIC_ALL. */
const read_bits = [0x1, 0x8000_0000, 0x1000_0000];
const reads = (rights: string): boolean =>
  rights.startsWith('0x')
    ? read_bits.some((bit) => (BigInt(rights) & BigInt(bit)) !== 0n)
    : (rights.match(/../g) ?? []).some((right) => ['FA', 'FR', 'GA', 'GR', 'CC'].includes(right));

/** The crowds that may read a file with these rights; a file without a list is everybody's. */
export const crowdsIn = (sddl: string): string[] => {
  const list = /D:([A-Z_]*)((?:\([^)]*\))*)/.exec(sddl);
  if (list === null || list[1]?.includes('NO_ACCESS_CONTROL')) return ['Everyone'];
  const found = [
    ...(list[2] ?? '').matchAll(/\((?:X?A);([^;]*);([^;]*);[^;]*;[^;]*;([^;)]+)[^)]*\)/g),
  ].flatMap(([, flags = '', rights = '', who = '']) => {
    const crowd = crowds[who];
    // IO: for what is made in a folder, not for itself.
    return crowd === undefined || flags.includes('IO') || !reads(rights) ? [] : [crowd];
  });
  return [...new Set(found)];
};

/** Who else may read a file on Windows. Rejects when its rights cannot be asked for. */
export const readersOf = async (file: string, system_root?: string): Promise<string[]> => {
  const sddl = await outputOf(powershell(system_root, sddlScript(file)));
  if (sddl === '') throw new Error('Get-Acl says nothing');
  return crowdsIn(sddl);
};

/** Makes the rights of a new file those of the one that it is to replace, or else its owner's alone. What fails is seen at the next start. */
export const restrict = (fresh: string, before: string | undefined, system_root?: string): void => {
  const run = (command: string[]) => {
    try {
      return Bun.spawnSync(command, { stdio: ['ignore', 'ignore', 'ignore'], windowsHide: true }).success;
    } catch {
      return false;
    }
  };
  if (before !== undefined && run(powershell(system_root, copyScript(before, fresh)))) return;
  run(restrictArguments(fresh, system_root));
};
