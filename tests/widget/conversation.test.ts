import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Conversation } from '../../adapters/widget/src/conversation'
import type { Entry } from '../../adapters/widget/src/protocol'
import { attachment } from '../../adapters/widget/src/uploads'
import { view } from '../../adapters/widget/src/view'
import { entry, event, FakeServer, json, refusal, unreachable } from './fake-server'

const SERVER = 'https://bot.example/'

let server: FakeServer
let conversation: Conversation
let errors: { code: string; message: string }[]
const faults = vi.spyOn(console, 'error').mockImplementation(() => undefined)
vi.spyOn(console, 'warn').mockImplementation(() => undefined)

function begin(): Conversation {
  const made = new Conversation(SERVER)
  made.on('error', (error) => errors.push(error))
  return made
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds)
}

function rows(): { text: string; state?: string; reason?: string }[] {
  return view(conversation.state).rows.filter((row) => row.kind !== 'day')
}

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  server = new FakeServer()
  vi.stubGlobal('fetch', server.fetch)
  errors = []
  faults.mockClear()
  conversation = begin()
})

afterEach(() => {
  // What an old conversation holds must not go on in the next test.
  dispatchEvent(new Event('pagehide'))
  vi.useRealTimers()
})

describe('a conversation', () => {
  it('asks the server for nothing until somebody looks', async () => {
    conversation.resume()
    await pass(10_000)
    expect(server.requests).toEqual([])
  })

  it('begins a session, opens the stream, and lets the bot greet once', async () => {
    conversation.watch({})
    await pass(1_000)
    expect(server.sessions).toBe(1)
    expect(server.streams).toHaveLength(1)
    expect(server.messages.map((one) => one.kind)).toEqual(['start'])
    conversation = begin()
    conversation.watch({})
    await pass(1_000)
    expect(server.sessions).toBe(1)
    expect(server.messages).toHaveLength(1)
  })

  it('shows what is sent at once, and the entry in its place', async () => {
    conversation.watch({})
    conversation.send({ text: 'Hello' })
    expect(rows()).toMatchObject([{ text: 'Hello', state: 'sending' }])
    await pass(100)
    expect(rows()).toMatchObject([{ text: 'Hello', state: 'sent' }])
    const id = server.messages.find((one) => one.kind === 'message')?.id ?? ''
    server.say(entry({ seq: 1, id, role: 'user', kind: 'message', text: 'Hello' }))
    server.say(event('draft', { draft: 'd1', reply_to: id, at: 0, text: 'Hi' }, '1.1.d1.2'))
    await pass(10)
    expect(rows()).toMatchObject([{ text: 'Hello' }, { text: 'Hi', live: true }])
  })

  it('goes on with its token, and begins anew where it is not good any more', async () => {
    conversation.watch({})
    await pass(100)
    server.expire()
    conversation.send({ text: 'Hello' })
    await pass(100)
    expect(server.sessions).toBe(2)
    expect(server.messages.at(-1)).toMatchObject({ kind: 'message', text: 'Hello' })
    expect(rows()).toMatchObject([{ text: 'Hello', state: 'sent' }])
  })

  it('brings files to the new session too', async () => {
    conversation.watch({})
    await pass(100)
    const cat = attachment(new File(['x'], 'cat.png', { type: 'image/png' }))
    await conversation.upload(cat)
    expect(cat.info?.id).toBe('f_1')
    server.expire()
    conversation.send({ text: '', attachments: [cat] })
    await pass(100)
    expect(server.messages.at(-1)?.files).toEqual(['f_2'])
  })

  it('is pending over a reload until the reply has come', async () => {
    conversation.watch({})
    conversation.send({ text: 'Hello' })
    await pass(100)
    server.say(event('status', { state: 'working', reply_to: 'x' }))
    await pass(10)
    dispatchEvent(new Event('pagehide'))
    conversation = begin()
    conversation.resume()
    await pass(100)
    expect(server.streams).toHaveLength(1)
    server.say(event('status', { state: 'idle' }))
    await pass(10)
    expect(conversation.remembered?.pending).toBe(false)
  })

  it('tells of each reply once, also over a reload', async () => {
    const heard: Entry[] = []
    conversation.on('message', (one) => heard.push(one))
    conversation.watch({})
    await pass(100)
    const reply = entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Hi' })
    server.say(reply)
    await pass(10)
    server.say(event('reset', {}) + reply)
    await pass(10)
    conversation = begin()
    conversation.on('message', (one) => heard.push(one))
    server.beginning.push(reply)
    conversation.watch({})
    await pass(100)
    expect(heard.map((one) => one.id)).toEqual(['m1'])
  })

  it('tells of what comes after everything was erased, though numbers begin anew', async () => {
    const heard: string[] = []
    conversation.on('message', (one) => heard.push(one.id))
    conversation.watch({})
    await pass(1_000)
    server.say(entry({ seq: 7, id: 'm7', role: 'assistant', text: 'Hi' }))
    server.say(event('reset', {}, '2.0..0') + event('entry', { seq: 1, id: 'm8', at: Date.now() / 1000, role: 'assistant', text: 'Done' }, '2.1..0'))
    await pass(10)
    expect(heard).toEqual(['m7', 'm8'])
    expect(rows()).toMatchObject([{ text: 'Done' }])
  })

  it('counts replies that nobody has looked at', async () => {
    const leave = conversation.watch({})
    await pass(100)
    server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Seen' }))
    await pass(10)
    leave()
    server.say(entry({ seq: 2, id: 'm2', role: 'assistant', text: 'Not seen' }))
    await pass(10)
    expect(conversation.unread).toBe(1)
    conversation.watch({})
    expect(conversation.unread).toBe(0)
  })

  it('leaves nothing of a person who goes', async () => {
    conversation.identify('jwt')
    conversation.watch({})
    await pass(100)
    expect(server.requests[0]?.body).toMatchObject({ identity: 'jwt' })
    server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Secret' }))
    await pass(10)
    conversation.identify(null)
    expect(rows()).toEqual([])
    await pass(500)
    expect(server.sessions).toBe(2)
    expect(rows()).toEqual([])
  })
})

describe('somebody else', () => {
  const alice = (): string => JSON.stringify(localStorage) + JSON.stringify(rows())

  async function secret(): Promise<void> {
    conversation.identify('alice')
    conversation.watch({})
    await pass(1_000)
    server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Secret of Alice' }))
    await pass(10)
    expect(alice()).toContain('Secret of Alice')
  }

  it('is not given the session that was being begun for the one before', async () => {
    let answer: (response: Response) => void = () => undefined
    server.plan('POST /web/sessions', () => new Promise<Response>((resolve) => (answer = resolve)))
    conversation.identify('alice')
    conversation.watch({})
    await pass(100)
    conversation.identify(null)
    await pass(100)
    expect(conversation.session?.session).toBe('s_1')
    const own = conversation.session
    answer(json(200, { ...own, session: 's_alice', token: 'alice' }))
    await pass(1_000)
    expect(conversation.session).toBe(own)
    expect(alice()).not.toContain('alice')
  })

  it('sees nothing of the one before while their own session is begun, nor when they are refused', async () => {
    await secret()
    let answer: (response: Response) => void = () => undefined
    server.plan('POST /web/sessions', () => new Promise<Response>((resolve) => (answer = resolve)))
    conversation.identify('bob')
    expect(rows()).toEqual([])
    await pass(10)
    expect(server.streams).toHaveLength(0)
    answer(refusal(403, 'invalid_identity'))
    await pass(10)
    expect(conversation.link).toBe('refused')
    expect(errors.at(-1)).toMatchObject({ code: 'invalid_identity' })
    await pass(60_000)
    expect(rows()).toEqual([])
    expect(server.streams).toHaveLength(0)
    expect(server.count('POST /web/sessions')).toBe(2)
  })

  it('is nobody who only has a fresh token', async () => {
    const token = (sub: string, exp: number): string => `x.${btoa(JSON.stringify({ sub, exp }))}.${exp}`
    conversation.identify(token('alice', 1))
    conversation.watch({})
    await pass(1_000)
    server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Hi' }))
    await pass(10)
    conversation.identify(token('alice', 2))
    expect(rows()).toMatchObject([{ text: 'Hi' }])
    server.expire()
    conversation.send({ text: 'Hello' })
    await pass(100)
    expect(server.requests.findLast((one) => one.path === '/web/sessions')?.body).toMatchObject({ identity: token('alice', 2) })
    conversation.identify(token('bob', 2))
    expect(rows()).toEqual([])
  })

  it('does not say what the one before did not get sent', async () => {
    conversation.identify('alice')
    conversation.watch({})
    await pass(1_000)
    server.plan('POST /web/messages', unreachable, () => refusal(400, 'invalid_request'))
    conversation.send({ text: 'Never sent' })
    await pass(10)
    expect(rows()).toMatchObject([{ text: 'Never sent', state: 'waiting' }])
    conversation.identify(null)
    expect(rows()).toEqual([])
    server.next.clear()
    conversation.send({ text: 'Mine' })
    await pass(60_000)
    expect(server.messages.filter((one) => one.kind === 'message').map((one) => one.text)).toEqual(['Mine'])
  })

  it('is not shown an earlier page that the one before asked for', async () => {
    await secret()
    let answer: (response: Response) => void = () => undefined
    server.plan('GET /web/messages', () => new Promise<Response>((resolve) => (answer = resolve)))
    void conversation.earlier()
    await pass(10)
    conversation.identify(null)
    answer(json(200, { entries: [{ seq: 1, id: 'm0', at: 1, role: 'assistant', text: 'Secret of Alice' }], more: false }))
    await pass(1_000)
    expect(alice()).not.toContain('Secret of Alice')
  })

  it('is there where another tab has logged them out', async () => {
    await secret()
    const other = begin()
    other.identify(null)
    dispatchEvent(new StorageEvent('storage', { key: `botkit ${SERVER} named` }))
    expect(rows()).toEqual([])
    await pass(1_000)
    expect(server.requests.findLast((one) => one.path === '/web/sessions')?.body).not.toHaveProperty('identity')
  })
})

describe('what a browser remembers', () => {
  it.each(['bad{', 'null', '[]', '5', '{"session":"s","token":"\u6f22"}', '{"session":"s","token":"a\\nb"}', '{"session":5,"token":{}}'])(
    'is dropped where it cannot be: %s',
    async (text) => {
      localStorage.setItem(`botkit ${SERVER}`, text)
      conversation.watch({})
      await pass(1_000)
      expect(server.requests[0]).toMatchObject({ path: '/web/sessions', token: '' })
      expect(conversation.link).toBe('open')
    },
  )
})

describe('a clock that is wrong', () => {
  it.each([-2, 2, 400])('by %d days begins no session more, and hears the first entry', async (days) => {
    const heard: string[] = []
    conversation.on('message', (one) => heard.push(one.id))
    server.beginning.splice(1, 0, entry({ seq: 1, id: 'old', at: Date.now() / 1000, role: 'assistant', text: 'Of before' }))
    vi.setSystemTime(Date.now() + days * 86_400_000)
    const { now } = Date
    server.plan('POST /web/sessions', async () => {
      const wrong = vi.spyOn(Date, 'now').mockImplementation(() => now() - days * 86_400_000)
      server.next.clear()
      const right = await server.fetch(`${SERVER}web/sessions`, { method: 'POST' })
      wrong.mockRestore()
      return right
    })
    conversation.watch({})
    await pass(1_000)
    const asked = server.count('POST /web/sessions')
    conversation.send({ text: 'Hello' })
    await pass(100)
    expect(server.count('POST /web/sessions')).toBe(asked)
    server.say(entry({ seq: 2, id: 'm2', at: 1, role: 'assistant', text: 'Hi' }))
    await pass(10)
    expect(heard).toEqual(['m2'])
  })
})

describe('other tabs', () => {
  function elsewhere(): void {
    dispatchEvent(new StorageEvent('storage', { key: `botkit ${SERVER}` }))
  }

  it('are followed to another session', async () => {
    conversation.watch({})
    await pass(1_000)
    localStorage.clear()
    const other = begin()
    other.watch({})
    await pass(1_000)
    expect(server.sessions).toBe(2)
    elsewhere()
    await pass(1_000)
    expect(conversation.session?.session).toBe('s_2')
    expect(server.sessions).toBe(2)
  })

  it('do not take a person who is named along', async () => {
    conversation.identify('jwt')
    conversation.watch({})
    await pass(1_000)
    const other = begin()
    other.watch({})
    await pass(1_000)
    expect(server.sessions).toBe(2)
    elsewhere()
    await pass(1_000)
    expect(server.count('POST /web/sessions')).toBe(2)
    expect(conversation.session?.session).toBe('s_1')
  })
})

describe('what is sent', () => {
  it('is tried again with the same id while the server is away', async () => {
    conversation.watch({})
    await pass(1_000)
    server.plan('POST /web/messages', unreachable, () => refusal(503, 'unavailable'), () => new Response('<html>', { status: 502 }))
    conversation.send({ text: 'Hello' })
    await pass(10)
    expect(rows()).toMatchObject([{ state: 'waiting', reason: '' }])
    await pass(20_000)
    expect(rows()).toMatchObject([{ state: 'sent' }])
    const ids = server.requests.filter((one) => one.path === '/web/messages').map((one) => (one.body as { id: string; kind: string }))
    expect(new Set(ids.filter((one) => one.kind === 'message').map((one) => one.id)).size).toBe(1)
  })

  it('waits as long as the server asks for', async () => {
    conversation.watch({})
    await pass(1_000)
    server.plan('POST /web/messages', () => refusal(429, 'rate_limited', { 'retry-after': '7' }))
    conversation.send({ text: 'Hello' })
    await pass(10)
    expect(rows()).toMatchObject([{ state: 'waiting', reason: '7' }])
    await pass(6_500)
    expect(server.messages.filter((one) => one.kind === 'message')).toEqual([])
    await pass(1_000)
    expect(rows()).toMatchObject([{ state: 'sent' }])
  })

  it('keeps its order', async () => {
    server.plan('POST /web/messages', unreachable)
    for (const text of ['one', 'two', 'three']) conversation.send({ text })
    await pass(10_000)
    expect(server.messages.map((one) => one.text)).toEqual(['one', 'two', 'three'])
  })

  it('fails with the reason, and goes when it is sent again', async () => {
    conversation.watch({})
    await pass(1_000)
    server.plan('POST /web/messages', () => refusal(413, 'message_too_long'))
    conversation.send({ text: 'Hello' })
    await pass(10)
    expect(rows()).toMatchObject([{ state: 'failed', reason: 'No: message_too_long.' }])
    expect(errors).toMatchObject([{ code: 'message_too_long' }])
    conversation.again(conversation.state.outgoing[0]?.id ?? '')
    await pass(10)
    expect(rows()).toMatchObject([{ state: 'sent' }])
  })

  it('can be discarded', async () => {
    server.plan('POST /web/messages', () => refusal(400, 'invalid_request'))
    conversation.send({ text: 'Hello' })
    await pass(100)
    conversation.discard(conversation.state.outgoing[0]?.id ?? '')
    expect(rows()).toEqual([])
  })

  it('says what is meant and nothing else', async () => {
    conversation.send({ kind: 'command', text: '/reset', name: 'reset', shown: false })
    conversation.send({ kind: 'action', text: 'Yes', name: 'confirm', value: '1', about: 'm1' })
    await pass(100)
    const { locale } = conversation
    const id = expect.any(String)
    expect(server.messages).toEqual([
      { id, kind: 'command', name: 'reset', locale },
      { id, kind: 'action', name: 'confirm', value: '1', label: 'Yes', about: 'm1', locale },
    ])
  })
})

describe('the stream', () => {
  it('goes on from the last id, at once', async () => {
    conversation.watch({})
    await pass(1_000)
    server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Hi' }))
    await pass(10)
    server.beginning = []
    server.cut()
    await pass(100)
    expect(server.streams).toHaveLength(1)
    expect(server.requests.at(-1)?.lastId).toBe('1.1..0')
    expect(rows()).toMatchObject([{ text: 'Hi' }])
  })

  it('waits longer each time nothing comes of it', async () => {
    for (let time = 0; time < 8; time += 1) server.plan('GET /web/stream', unreachable)
    conversation.watch({})
    await pass(5_000)
    expect(server.count('GET /web/stream')).toBeLessThan(6)
    await pass(180_000)
    expect(conversation.link).toBe('open')
  })

  it('is dead when nothing was heard for 40 s, and alive with pings', async () => {
    conversation.watch({})
    await pass(1_000)
    for (let time = 0; time < 6; time += 1) {
      server.say(': ping\n\n')
      await pass(15_000)
    }
    expect(server.count('GET /web/stream')).toBe(1)
    await pass(41_000)
    expect(server.count('GET /web/stream')).toBe(2)
  })

  it('comes again at once when the server stops', async () => {
    conversation.watch({})
    await pass(1_000)
    server.say(event('bye', {}))
    await pass(100)
    expect(server.count('GET /web/stream')).toBe(2)
  })

  it.each([
    () => new Response('default backend - 404', { status: 404 }),
    () => new Response('<html>', { status: 403 }),
    () => refusal(400, 'invalid_request'),
  ])('outlives an answer that is not ours', async (answer) => {
    server.plan('GET /web/stream', answer)
    conversation.watch({})
    await pass(5_000)
    expect(conversation.link).toBe('open')
  })

  it('is given up where the origin is refused', async () => {
    server.plan('GET /web/stream', () => refusal(403, 'origin_not_allowed'))
    conversation.watch({})
    await pass(60_000)
    expect(conversation.link).toBe('refused')
    expect(server.count('GET /web/stream')).toBe(1)
  })

  it('is closed a minute after a closed panel is out of sight, not while a reply is written', async () => {
    const leave = conversation.watch({})
    await pass(1_000)
    leave()
    await pass(120_000)
    expect(server.streams).toHaveLength(1)
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
    server.say(event('status', { state: 'working', reply_to: 'x' }))
    document.dispatchEvent(new Event('visibilitychange'))
    await pass(30_000)
    server.say(': ping\n\n')
    await pass(35_000)
    expect(server.streams).toHaveLength(1)
    server.say(event('status', { state: 'idle' }))
    await pass(100)
    expect(server.streams).toHaveLength(0)
    hidden.mockReturnValue(false)
    document.dispatchEvent(new Event('visibilitychange'))
    await pass(100)
    expect(server.streams).toHaveLength(1)
    hidden.mockRestore()
  })
})

describe('a page that may not ask', () => {
  it('is told what to set where the browser hides the answer', async () => {
    for (let time = 0; time < 20; time += 1) server.plan('POST /web/sessions', unreachable)
    conversation.watch({})
    await pass(60_000)
    expect(faults).toHaveBeenCalledTimes(1)
    expect(faults.mock.calls[0]?.[0]).toContain(`BOTKIT_WEB_ORIGINS=${location.origin}`)
    expect(conversation.link).toBe('refused')
    expect(server.count('POST /web/sessions')).toBeLessThan(10)
  })

  it('is not taken for one for good where a request was lost', async () => {
    server.plan('POST /web/sessions', unreachable, () => new Response('Not here', { status: 404 }))
    conversation.watch({})
    await pass(5_000)
    expect(conversation.link).toBe('open')
    conversation.send({ text: 'Hello' })
    await pass(100)
    expect(rows()).toMatchObject([{ text: 'Hello', state: 'sent' }])
  })

  it('is told so where the answer says it', async () => {
    server.plan('POST /web/sessions', () => refusal(403, 'origin_not_allowed'))
    conversation.watch({})
    await pass(60_000)
    expect(faults.mock.calls[0]?.[0]).toContain('BOTKIT_WEB_ORIGINS')
    expect(conversation.link).toBe('refused')
  })

  it('is not blamed while nobody answers at all', async () => {
    server.plan('POST /web/sessions', unreachable)
    server.plan('HEAD /widget.js', unreachable)
    conversation.watch({})
    await pass(10)
    expect(conversation.link).toBe('lost')
    await pass(60_000)
    expect(faults).not.toHaveBeenCalled()
    expect(conversation.link).toBe('open')
  })
})

it('a rating that is refused is taken back', async () => {
  conversation.watch({})
  await pass(1_000)
  server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Hi', feedback: true }))
  await pass(10)
  server.plan('POST /web/feedback', () => refusal(404, 'not_found'))
  const rating = conversation.rate('m1', 'positive', '')
  expect(rows()).toMatchObject([{ rating: { value: 'positive' } }])
  await rating
  expect(rows()).toMatchObject([{ rating: null }])
})

it('earlier entries come before the others', async () => {
  conversation.watch({})
  await pass(1_000)
  server.say(entry({ seq: 9, id: 'm9', role: 'assistant', text: 'Nine' }))
  await pass(10)
  server.plan('GET /web/messages', () => json(200, { entries: [{ seq: 8, id: 'm8', at: 1, role: 'assistant', text: 'Eight' }], more: false }))
  await conversation.earlier()
  expect(rows().map((row) => row.text)).toEqual(['Eight', 'Nine'])
  expect(server.requests.at(-1)?.path).toBe('/web/messages?before=9&limit=50')
})
