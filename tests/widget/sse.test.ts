import { describe, expect, it } from 'vitest'
import { type SseEvent, SseParser } from '../../adapters/widget/src/sse'

const TEXT = [
  ': ping\n\n',
  'event: entry\nid: 1.2.d7.3\ndata: {"text":"Grüße, 世界 🙂"}\n\n',
  'event: draft\r\nid: 1.2.d7.9\r\ndata: {"a":1}\r\n\r\n',
  'data: first\rdata:second\rdata\r\r',
  'id: left\u0000out\ndata: kept\n\n',
  'event: nothing\n\n',
  'retry: 10\nunknown: x\ndata:  two spaces\n\n',
  'data: not finished',
].join('')
const BYTES = new TextEncoder().encode(TEXT)

const EXPECTED: SseEvent[] = [
  { name: 'entry', data: '{"text":"Grüße, 世界 🙂"}', id: '1.2.d7.3' },
  { name: 'draft', data: '{"a":1}', id: '1.2.d7.9' },
  { name: 'message', data: 'first\nsecond\n', id: '1.2.d7.9' },
  { name: 'message', data: 'kept', id: '1.2.d7.9' },
  { name: 'message', data: ' two spaces', id: '1.2.d7.9' },
]

function parsed(...pieces: Uint8Array[]): SseEvent[] {
  const parser = new SseParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

describe('the parser of server-sent events', () => {
  it('reads a stream that comes at once', () => {
    expect(parsed(BYTES)).toEqual(EXPECTED)
  })

  it('reads the same wherever it is cut, inside a character too', () => {
    for (let cut = 0; cut <= BYTES.length; cut += 1)
      expect(parsed(BYTES.subarray(0, cut), BYTES.subarray(cut)), `cut at ${cut}`).toEqual(EXPECTED)
  })

  it('reads the same byte by byte', () => {
    expect(parsed(...Array.from(BYTES, (byte) => Uint8Array.of(byte)))).toEqual(EXPECTED)
  })

  it('begins with the id of before', () => {
    const parser = new SseParser('1.2')
    expect(parser.push(new TextEncoder().encode('data: x\n\n'))[0]?.id).toBe('1.2')
  })
})
