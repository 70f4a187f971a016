import { beforeEach, describe, expect, it } from 'vitest'
import type { AssistantEntry, Entry, UserEntry } from '../../adapters/widget/src/protocol'
import { type Action, busy, EMPTY, type Outgoing, reduce, snapshot, type State } from '../../adapters/widget/src/store'
import { type ReplyRow, type UserRow, view } from '../../adapters/widget/src/view'

const AT = 1_790_000_000

function user(seq: number, id: string, text: string, more: Partial<UserEntry> = {}): UserEntry {
  return { seq, id, at: AT, role: 'user', kind: 'message', text, ...more }
}

function reply(seq: number, id: string, replyTo: string, text: string, more: Partial<AssistantEntry> = {}): AssistantEntry {
  return { seq, id, at: AT, role: 'assistant', reply_to: replyTo, text, ...more }
}

function entry(value: Entry): Action {
  return { event: 'entry', entry: value }
}

function draft(id: string, replyTo: string, at: number, text: string): Action {
  return { event: 'draft', piece: { draft: id, reply_to: replyTo, at, text } }
}

function status(state: 'idle' | 'queued' | 'working', replyTo = ''): Action {
  return { event: 'status', status: { state, reply_to: replyTo } }
}

function sending(id: string, text: string, more: Partial<Outgoing> = {}): Action {
  const message: Outgoing = {
    id, kind: 'message', text, files: [], replaces: '', at: AT, state: 'sending', reason: '', shown: true, ...more,
  } // prettier-ignore
  return { event: 'sending', message }
}

let state: State

function after(...actions: Action[]): State {
  state = actions.reduce(reduce, state)
  return state
}

function rows(): (UserRow | ReplyRow)[] {
  return view(state).rows.filter((row): row is UserRow | ReplyRow => row.kind !== 'day')
}

function texts(): string[] {
  return rows().map((row) => row.text)
}

beforeEach(() => {
  state = EMPTY
})

describe('entries', () => {
  it('are shown by their numbers, each once', () => {
    after(entry(reply(2, 'm1', 'u1', 'Hi!')), entry(user(1, 'u1', 'Hello')), entry(reply(2, 'm1', 'u1', 'Hi!')))
    expect(texts()).toEqual(['Hello', 'Hi!'])
  })

  it('say nothing where they are empty, and end the draft all the same', () => {
    after(entry(user(1, 'u1', 'Hello')), draft('d1', 'u1', 0, 'Hm'), entry({ seq: 2, id: 'm1', at: AT, role: 'assistant', reply_to: 'u1' }))
    expect(texts()).toEqual(['Hello'])
    expect(state.drafts).toEqual([])
  })

  it('go when the server begins anew, but not what it does not have yet', () => {
    after(entry(user(1, 'u1', 'Hello')), draft('d1', 'u1', 0, 'Hi'), status('working', 'u1'), sending('u2', 'More'), { event: 'reset' })
    expect(texts()).toEqual(['More'])
    expect(busy(state)).toBe(false)
  })

  it('do not come twice when what was sent comes back after the server began anew', () => {
    after(sending('u1', 'Hello'), { event: 'progress', id: 'u1', state: 'sent' }, { event: 'reset' }, entry(user(1, 'u1', 'Hello')))
    expect(texts()).toEqual(['Hello'])
  })

  it('of an earlier page stand before the others', () => {
    after(entry(user(9, 'u9', 'Nine')), { event: 'earlier', entries: [user(7, 'u7', 'Seven'), reply(8, 'm8', 'u7', 'Eight')], more: true })
    expect(texts()).toEqual(['Seven', 'Eight', 'Nine'])
    expect(view(state).more).toBe(true)
  })

  it('tell that there are earlier ones once as many came as are given', () => {
    for (let seq = 11; seq < 210; seq += 1) after(entry(user(seq, `u${seq}`, 'x')))
    expect(state.more).toBe(false)
    after(entry(user(210, 'u210', 'x')))
    expect(state.more).toBe(true)
  })

  it('are divided by days', () => {
    after(entry(user(1, 'u1', 'One')), entry(user(2, 'u2', 'Two', { at: AT + 3 * 86_400 })))
    expect(view(state).rows.map((row) => row.kind)).toEqual(['day', 'user', 'day', 'user'])
  })
})

describe('a draft', () => {
  it('grows, begins anew at 0, and becomes the entry in the same row', () => {
    after(entry(user(1, 'u1', 'Hello')), draft('d1', 'u1', 0, 'Hi'), draft('d1', 'u1', 2, ' there'))
    expect(texts()).toEqual(['Hello', 'Hi there'])
    const { key } = rows()[1] as ReplyRow
    after(draft('d2', 'u1', 0, 'Good day'))
    expect(texts()).toEqual(['Hello', 'Good day'])
    after(entry(reply(2, 'm1', 'u1', 'Good day')))
    expect(rows()[1]).toMatchObject({ key, id: 'm1', live: false, text: 'Good day' })
  })

  it('keeps its row when the entry comes by way of another tab', () => {
    after(entry(user(1, 'u1', 'Hello')), draft('d1', 'u1', 0, 'Hi'))
    const { key } = rows()[1] as ReplyRow
    const other = [entry(user(1, 'u1', 'Hello')), entry(reply(2, 'm1', 'u1', 'Hi'))].reduce(reduce, EMPTY)
    after({ event: 'adopt', snapshot: snapshot(other) })
    expect(rows()[1]).toMatchObject({ key, id: 'm1' })
  })

  it('is busy until a status says otherwise', () => {
    after(draft('d1', 'u1', 0, 'Hi'))
    expect(busy(state)).toBe(true)
    after(status('idle'))
    expect(busy(state)).toBe(false)
  })

  it('of another message stays when a reply comes', () => {
    after(draft('d1', 'u1', 0, 'One'), draft('d2', 'u2', 0, 'Two'), entry(reply(3, 'm1', 'u1', 'One')))
    expect(texts()).toEqual(['One', 'Two'])
  })
})

describe('the status', () => {
  it('is a line until something is written', () => {
    after(entry(user(1, 'u1', 'Hello')), status('queued', 'u1'))
    expect(view(state)).toMatchObject({ waiting: 'queued', busy: true, replyTo: 'u1' })
    after(status('working', 'u1'))
    expect(view(state).waiting).toBe('typing')
    after(draft('d1', 'u1', 0, 'H'))
    expect(view(state)).toMatchObject({ waiting: '', busy: true })
    after(entry(reply(2, 'm1', 'u1', 'H')), status('idle'))
    expect(view(state)).toMatchObject({ waiting: '', busy: false })
  })
})

describe('what replaces another message', () => {
  beforeEach(() => {
    after(entry(user(1, 'u1', 'One')), entry(reply(2, 'm1', 'u1', 'First')), entry(user(3, 'u2', 'Two')), entry(reply(4, 'm2', 'u2', 'Second')))
  })

  it('takes away what it says, and nothing else', () => {
    after(entry(reply(5, 'm3', '', 'A word of a person')), entry(user(6, 'u3', 'Alone')))
    after(entry({ seq: 7, id: 'r_m1', at: AT, role: 'rating', about: 'm1', value: 'positive' }))
    after(draft('d3', 'u2', 0, 'late'), entry(user(8, 'u4', 'Two!', { replaces: 'u2', removes: ['u2', 'm2', 'r_m1', 'gone'] })))
    expect(texts()).toEqual(['One', 'First', 'A word of a person', 'Alone', 'Two!'])
    expect(rows()[1]).toMatchObject({ rating: null })
    expect(state.drafts).toEqual([])
  })

  it('takes away a whole chain, of which this page has seen a part', () => {
    after(entry(user(9, 'u5', 'Two!!', { replaces: 'u4', removes: ['u2', 'm2', 'u4', 'm4'] })))
    expect(texts()).toEqual(['One', 'First', 'Two!!'])
    after({ event: 'earlier', entries: [user(7, 'u4', 'Two!', { replaces: 'u2', removes: ['u2', 'm2'] })], more: false })
    expect(texts()).toEqual(['One', 'First', 'Two!!'])
  })

  it('takes away the message and its replies where it does not say', () => {
    after(entry(reply(5, 'm3', '', 'A word of a person')), entry(user(6, 'u3', 'Two!', { replaces: 'u2' })))
    expect(texts()).toEqual(['One', 'First', 'A word of a person', 'Two!'])
  })

  it('does so before the server has it, and gives it back when it is discarded', () => {
    after(entry(reply(5, 'm3', '', 'A word of a person')), sending('u3', 'Two!', { replaces: 'u2' }))
    expect(texts()).toEqual(['One', 'First', 'A word of a person', 'Two!'])
    after({ event: 'discard', id: 'u3' })
    expect(texts()).toEqual(['One', 'First', 'Two', 'Second', 'A word of a person'])
  })

  it('means nothing where the other is not there', () => {
    after(entry(user(5, 'u3', 'Three', { replaces: 'gone' })))
    expect(texts()).toEqual(['One', 'First', 'Two', 'Second', 'Three'])
  })
})

describe('what is on its way', () => {
  it('is shown at once, in the same row as the entry later', () => {
    after(sending('u1', 'Hello'))
    expect(rows()[0]).toMatchObject({ key: 'u1', state: 'sending' })
    after({ event: 'progress', id: 'u1', state: 'waiting', reason: '7' })
    expect(rows()[0]).toMatchObject({ state: 'waiting', reason: '7' })
    after({ event: 'progress', id: 'u1', state: 'failed', reason: 'No.' })
    expect(rows()[0]).toMatchObject({ state: 'failed', reason: 'No.' })
    after(sending('u1', 'Hello'), entry(user(1, 'u1', 'Hello')))
    expect(rows()).toHaveLength(1)
    expect(rows()[0]).toMatchObject({ key: 'u1', state: 'sent' })
  })

  it('is not shown where it is not meant to be seen', () => {
    after(sending('c1', '/reset', { kind: 'command', shown: false }))
    expect(rows()).toEqual([])
  })
})

describe('the last message', () => {
  it('can be edited and asked again when all is quiet', () => {
    after(entry(user(1, 'u1', 'One')), entry(reply(2, 'm1', 'u1', 'First')))
    expect(view(state).last?.id).toBe('u1')
    expect(rows()[0]).toMatchObject({ editable: true })
    expect(rows()[1]).toMatchObject({ retryable: true, last: true })
    after(status('working', 'u1'))
    expect(view(state).last).toBeNull()
    expect(rows()[1]).toMatchObject({ retryable: false })
  })

  it('can be asked again where it was not answered', () => {
    after(entry(user(1, 'u1', 'One')))
    expect(rows()[0]).toMatchObject({ editable: true, retryable: true })
  })

  it('is not asked again where it was a command or a button', () => {
    after(entry(user(1, 'u1', '/help', { kind: 'command' })), entry(reply(2, 'm1', 'u1', 'First')))
    expect(view(state).last).toBeNull()
    expect(rows()[1]).toMatchObject({ retryable: false })
  })
})

describe('suggestions', () => {
  it('are those of the last reply, while nothing else goes on', () => {
    after(entry(reply(1, 'm1', '', 'Hi', { suggestions: ['What else?'] })))
    expect(rows()[0]).toMatchObject({ suggestions: ['What else?'] })
    after(sending('u1', 'What else?'))
    expect(rows()[0]).toMatchObject({ suggestions: [] })
  })
})

describe('ratings', () => {
  const rating = (seq: number, value: 'positive' | 'negative', comment = ''): Action =>
    entry({ seq, id: `r${seq}`, at: AT, role: 'rating', about: 'm1', value, comment })

  it('are shown at once, and the last counts', () => {
    after(entry(reply(1, 'm1', '', 'Hi', { feedback: true })))
    after({ event: 'rate', about: 'm1', value: 'negative', comment: '' })
    expect(rows()[0]).toMatchObject({ rating: { value: 'negative' } })
    after(rating(2, 'negative'), rating(3, 'positive', 'Better'))
    expect(rows()[0]).toMatchObject({ rating: { value: 'positive', comment: 'Better' } })
  })

  it('are taken back where the server did not take them', () => {
    after(entry(reply(1, 'm1', '', 'Hi', { feedback: true })))
    after({ event: 'rate', about: 'm1', value: 'negative', comment: '' }, { event: 'unrate', about: 'm1' })
    expect(rows()[0]).toMatchObject({ rating: null })
  })
})

it('nothing is left of another person', () => {
  after(entry(user(1, 'u1', 'Hello')), sending('u2', 'x'), draft('d', 'u1', 0, 'x'), { event: 'clear' })
  expect(state).toEqual(EMPTY)
  expect(reduce(state, { event: 'bye' })).toBe(state)
})
