import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BotkitChat } from '../../adapters/widget/src/element'
import type { BotkitApi } from '../../adapters/widget/src/main'
import { entry, event, FakeServer, unreachable } from './fake-server'

let server: FakeServer
const botkit = (): BotkitApi => window.botkit as BotkitApi
const element = (): BotkitChat => document.querySelector<BotkitChat>('botkit-chat') as BotkitChat

function part<T extends HTMLElement>(name: string): T {
  return element().shadowRoot?.querySelector(`[data-part="${name}"]`) as T
}

async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds)
}

beforeAll(async () => {
  server = new FakeServer()
  vi.stubGlobal('fetch', server.fetch)
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => setTimeout(draw, 16))
  const script = document.createElement('script')
  script.type = 'text/plain'
  script.src = 'https://bot.example/widget.js'
  document.head.append(script)
  await import('../../adapters/widget/src/main')
})

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  botkit().close()
  // Somebody new each time.
  botkit().identify(`person ${server.requests.length}`)
  vi.useRealTimers()
})

async function opened(): Promise<void> {
  botkit().open()
  await pass(1_000)
}

function write(text: string): void {
  part<HTMLTextAreaElement>('composer').value = text
  part('composer').dispatchEvent(new Event('input'))
}

describe('the launcher', () => {
  it('comes back when it is opened after the page has drawn itself anew', async () => {
    document.body.innerHTML = '<p>Another page</p>'
    await opened()
    expect(element().isOpen).toBe(true)
    document.body.innerHTML = ''
    botkit().toggle()
    expect(element().isOpen).toBe(true)
  })

  it('keeps what is written when it is taken out and put in again', async () => {
    await opened()
    write('Half a sen')
    const kept = element()
    kept.remove()
    await pass(1_000)
    document.body.append(kept)
    expect(kept.isOpen).toBe(true)
    expect(part<HTMLTextAreaElement>('composer').value).toBe('Half a sen')
    await pass(1_000)
    server.say(entry({ seq: 1, id: 'm1', role: 'assistant', text: 'Hi' }))
    await pass(100)
    expect(part('body').textContent).toBe('Hi')
  })
})

describe('what somebody left in the field', () => {
  it('is not there for the next one, also while the panel is not in the page', async () => {
    botkit().identify('alice')
    await opened()
    write('My card is')
    botkit().identify('bob')
    part<HTMLFormElement>('composer').closest('form')?.requestSubmit()
    await pass(1_000)
    expect(part<HTMLTextAreaElement>('composer').value).toBe('')
    write('Of Bob')
    const kept = element()
    kept.remove()
    botkit().identify('carol')
    document.body.append(kept)
    expect(part<HTMLTextAreaElement>('composer').value).toBe('')
    expect(server.messages.filter((one) => one.kind === 'message')).toEqual([])
  })
})

describe('the stop button', () => {
  it('is pressed once, unless the server did not hear it', async () => {
    await opened()
    server.say(event('status', { state: 'working', reply_to: 'u1' }))
    await pass(100)
    server.plan('POST /web/messages', unreachable)
    part('stop').click()
    expect(part<HTMLButtonElement>('stop').disabled).toBe(true)
    await pass(100)
    expect(part<HTMLButtonElement>('stop').disabled).toBe(false)
    part('stop').click()
    await pass(1_000)
    expect(part<HTMLButtonElement>('stop').disabled).toBe(true)
    server.say(event('status', { state: 'working', reply_to: 'u2' }))
    await pass(100)
    expect(part<HTMLButtonElement>('stop').disabled).toBe(false)
  })
})
