import { expect, test } from 'bun:test';
import { type AddressClass, addressClass, addressList, isListed } from './address-class.ts';

const rows: Record<AddressClass, string> = {
  public:
    '1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 172.15.255.255 172.32.0.0 192.167.1.1 223.255.255.255 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1',
  unspecified: '0.0.0.0 0.1.2.3 :: 0:0:0:0:0:0:0:0 ::ffff:0.0.0.0 64:ff9b::',
  loopback:
    '127.0.0.1 127.255.255.254 ::1 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::127.0.0.1 2002:7f00:1::',
  private:
    '10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 100.127.255.255 fc00::1 fdff::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::5 64:ff9b:1::1 2002:c0a8:1::',
  link_local: '169.254.169.254 fe80::1 febf::1 fe80::1%eth0 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe',
  multicast: '224.0.0.1 239.255.255.255 ff02::1 ff0e::1 ::ffff:224.0.0.1',
  reserved:
    '192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 240.0.0.1 255.255.255.255 2001:db8::1 2001::1 3fff::1 100::1 5f00::1 4000::1 localhost 0x7f.1 127.1 2130706433',
};

for (const [name, addresses] of Object.entries(rows)) {
  test(`addressClass() knows what is ${name}`, () => {
    for (const address of addresses.split(' '))
      expect([address, addressClass(address)]).toEqual([address, name as AddressClass]);
  });
}

test('addressList() takes networks and single addresses of both families', () => {
  const list = addressList(['10.1.0.0/16', '192.0.2.7', 'fd00::/8', '::1']);
  const within = (address: string) => isListed(list, address);
  expect(['10.1.2.3', '192.0.2.7', 'fd12::1', '::1'].map(within)).toEqual([true, true, true, true]);
  expect(['10.2.0.1', '192.0.2.8', 'fe80::1', '::2'].map(within)).toEqual([false, false, false, false]);
  expect(() => addressList(['10.0.0.0/33'])).toThrow();
  expect(() => addressList(['x'])).toThrow();
});
