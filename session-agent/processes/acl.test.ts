import { expect, test } from 'bun:test';
import { copyScript, crowdsIn, grantArguments, restrictArguments, sddlScript } from './acl.ts';

const file = "C:\\Program Data\\Anna's\\config.json";

test('restrictArguments() leaves the file to its owner, the system and administrators, in any language of Windows', () => {
  expect(restrictArguments(file, 'D:\\Windows').slice(1)).toEqual([
    file,
    '/inheritance:r',
    '/grant:r',
    '*S-1-5-18:F',
    '*S-1-5-32-544:F',
    '*S-1-3-4:F',
  ]);
  expect(restrictArguments(file, 'D:\\Windows')[0]).toMatch(/^D:\\Windows.System32.icacls\.exe$/);
});

test('grantArguments() lets the account of the service in', () => {
  expect(grantArguments(file, { user: 'HOST\\vitrina', folder: false }).slice(1)).toEqual([
    file,
    '/grant',
    'HOST\\vitrina:M',
  ]);
  expect(grantArguments('C:\\logs', { user: 'v', folder: true }).at(-1)).toBe('v:(OI)(CI)M');
});

test('sddlScript() and copyScript() quote whatever a path holds', () => {
  expect(sddlScript(file)).toBe("(Get-Acl -LiteralPath 'C:\\Program Data\\Anna''s\\config.json').Sddl");
  expect(copyScript('a', "b'; rm c")).toBe(
    "Set-Acl -LiteralPath 'b''; rm c' -AclObject (Get-Acl -LiteralPath 'a')",
  );
});

test.each<[string, string, string[]]>([
  ['made by restrictArguments()', 'O:BAG:DUD:PAI(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)', []],
  ['below ProgramData', 'O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)', ['Users']],
  ['with everybody', 'O:BAG:SYD:(A;;FR;;;WD)(A;;GA;;;S-1-5-11)', ['Everyone', 'Authenticated Users']],
  ['with an account of its own', 'O:BAG:SYD:P(A;;0x1301bf;;;S-1-5-21-1-2-3-1001)(A;;FA;;;SY)', []],
  ['that users may only write', 'O:BAG:SYD:(A;;0x2;;;BU)(A;;SD;;;WD)', []],
  ['that everybody is denied', 'O:BAG:SYD:(D;;FA;;;WD)(A;;FA;;;SY)', []],
  ['of a folder, for what is made in it', 'O:BAG:SYD:(A;OICIIO;GR;;;BU)', []],
  ['with a mandatory label and an audit list', 'O:BAG:SYD:(A;;FA;;;SY)S:(AU;SAFA;FA;;;WD)', []],
  ['without a list', 'O:BAG:SYD:NO_ACCESS_CONTROL', ['Everyone']],
  ['without anything', 'O:BAG:SY', ['Everyone']],
])('crowdsIn() of a file %s', (_, sddl, who) => {
  expect(crowdsIn(sddl)).toEqual(who);
});
