import { expect, test } from 'bun:test';
import { invitePath, routeOf, sessionPath } from './route.ts';

const at = (path: string) => routeOf(new URL(path, 'https://vitrina.example'));

test('routeOf() knows the pages', () => {
  expect(at('/')).toEqual({ page: 'catalogue', code: '' });
  expect(at('/?code=1234')).toEqual({ page: 'catalogue', code: '1234' });
  expect(at(sessionPath('a_b-1'))).toEqual({ page: 'session', id: 'a_b-1' });
  expect(at(invitePath('a_b-1'))).toEqual({ page: 'invite', invite: 'a_b-1' });
  expect(at('/reset#secret')).toEqual({ page: 'reset', secret: 'secret' });
  expect(at('/s/')).toEqual({ page: 'catalogue', code: '' });
});
