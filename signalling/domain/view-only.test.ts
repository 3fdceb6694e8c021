import { expect, test } from 'bun:test';
import wrtc from '@roamhq/wrtc';
import { withoutDataChannel } from './view-only.ts';

const answer = (...data: string[]) =>
  [
    'v=0',
    'a=group:BUNDLE 0 1 2',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=mid:0',
    ...data,
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=mid:2',
    '',
  ].join('\r\n');

test('withoutDataChannel() rejects the section and takes it out of BUNDLE', () => {
  const data = [
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=sctp-port:5000',
  ];
  expect(withoutDataChannel(answer(...data))).toBe(
    answer('m=application 0 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=mid:1').replace(
      'BUNDLE 0 1 2',
      'BUNDLE 0 2',
    ),
  );
});

test('withoutDataChannel() leaves a description without data as it is', () => {
  expect(withoutDataChannel(answer())).toBe(answer());
});

const tricks: [name: string, lines: string[]][] = [
  ['a=bundle-only', ['m=application 0 UDP/DTLS/SCTP webrtc-datachannel', 'a=bundle-only', 'a=mid:1']],
  ['a port range', ['m=application 9/2 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:1']],
  [
    'an old protocol',
    ['m=application 9 DTLS/SCTP 5000', 'a=sctpmap:5000 webrtc-datachannel 1024', 'a=mid:1'],
  ],
  ['line feeds alone', ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=bundle-only\na=mid:1']],
  ['carriage returns alone', ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel\ra=bundle-only\ra=mid:1']],
];

for (const [name, lines] of tricks) {
  test(`withoutDataChannel() is not fooled by ${name}`, () => {
    const sdp = withoutDataChannel(answer(...lines)) ?? '';
    expect(sdp).toMatch(/\r\nm=application 0 /);
    expect(sdp).not.toMatch(/bundle-only|m=application [1-9]/);
    expect(sdp).toContain('a=group:BUNDLE 0 2\r\n');
  });
}

for (const line of [
  'M=application 9 x y',
  ' m=application 9 x y',
  'm = application 9 x y',
  'm=Application 9 x y',
  'm=application x y',
  'm=application',
]) {
  test(`withoutDataChannel() passes nothing on that holds "${line}"`, () => {
    expect(withoutDataChannel(answer(line))).toBeUndefined();
  });
}

/** Candidates go to the other side as they are found; one that is under way when the test closes that side goes nowhere. */
const passTo =
  (other: RTCPeerConnection) =>
  ({ candidate }: RTCPeerConnectionIceEvent): void => {
    if (candidate === null) return;
    other.addIceCandidate(candidate).catch((error: unknown) => {
      if (other.signalingState !== 'closed') throw error;
    });
  };

/** Negotiates a track and a data channel, the answer changed on its way; says what came of it. */
const negotiate = async (change: (sdp: string) => string) => {
  const streamer = new wrtc.RTCPeerConnection();
  const player = new wrtc.RTCPeerConnection();
  try {
    const source = new wrtc.nonstandard.RTCVideoSource();
    streamer.addTrack(source.createTrack(), new wrtc.MediaStream());
    const channel = streamer.createDataChannel('datachannel');
    streamer.onicecandidate = passTo(player);
    player.onicecandidate = passTo(streamer);
    let opened = false;
    channel.onopen = () => {
      opened = true;
    };
    player.ondatachannel = () => {
      opened = true;
    };
    const connected = new Promise<void>((resolve, reject) => {
      streamer.onconnectionstatechange = () => {
        if (streamer.connectionState === 'connected') resolve();
        if (streamer.connectionState === 'failed') reject(new Error('failed'));
      };
    });
    const offer = await streamer.createOffer();
    await streamer.setLocalDescription(offer);
    await player.setRemoteDescription(offer);
    const made = await player.createAnswer();
    await player.setLocalDescription(made);
    await streamer.setRemoteDescription({ type: 'answer', sdp: change(made.sdp ?? '') });
    await connected;
    return { opened: () => opened, channel, streamer, player };
  } catch (error) {
    streamer.close();
    player.close();
    throw error;
  }
};

test('withoutDataChannel() leaves WebRTC a picture and no channel', async () => {
  const { opened, channel, streamer, player } = await negotiate((sdp) => withoutDataChannel(sdp) ?? '');
  try {
    // A rejected channel is closed by the description itself; one that could open would be "connecting" now.
    expect(channel.readyState).toBe('closed');
    expect(opened()).toBe(false);
    expect(streamer.sctp ?? null).toBeNull();
  } finally {
    streamer.close();
    player.close();
  }
}, 30_000);
