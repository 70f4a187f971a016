import { describe, expect, it } from 'vitest'
import en from '../../adapters/widget/src/languages/en'
import { Markdown } from '../../adapters/widget/src/markdown/markdown'
import { ALLOWED_ATTRIBUTES, ALLOWED_TAGS } from '../../adapters/widget/src/markdown/nodes'
import { CORPUS, HOSTILE } from './markdown-corpus'

const SCHEMES = /^(https?|mailto|tel):/

function rendered(...texts: string[]): HTMLElement {
  const element = document.createElement('div')
  const markdown = new Markdown(element, en)
  for (const text of texts.slice(0, -1)) markdown.set(text, true)
  markdown.set(texts.at(-1) ?? '', false)
  return element
}

/** The markup without what every code block and table has. */
function html(text: string): string {
  return rendered(text)
    .innerHTML.replace(/<div class="bar">.*?<\/div>/g, '')
    .replace(/ (target|rel|tabindex|dir|scope)="[^"]*"/g, '')
}

function guard(element: Element, about: string): void {
  for (const one of element.querySelectorAll('*')) {
    expect(ALLOWED_TAGS.has(one.localName), `${one.localName} of ${about}`).toBe(true)
    for (const name of one.getAttributeNames())
      expect(ALLOWED_ATTRIBUTES.has(name), `${name} of ${about}`).toBe(true)
    const href = one.getAttribute('href')
    if (href !== null) {
      expect(href, about).toMatch(SCHEMES)
      expect(one.getAttribute('rel'), about).toBe('noopener noreferrer nofollow')
      expect(one.getAttribute('target'), about).toBe('_blank')
    }
  }
}

describe('Markdown', () => {
  it.each([
    ['**a** *b* ~~c~~ `d`', '<p><strong>a</strong> <em>b</em> <del>c</del> <code>d</code></p>'],
    ['***a***', '<p><em><strong>a</strong></em></p>'],
    ['snake_case_name and 2*3*4', '<p>snake_case_name and 2<em>3</em>4</p>'],
    ['a\nb', '<p>a<br>b</p>'],
    ['# A\n## B', '<h3 class="level-1">A</h3><h3 class="level-2">B</h3>'],
    ['A\n---', '<h3 class="level-2">A</h3>'],
    ['1. a\n2. b\n   - c\n3. d', '<ol><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ol>'],
    ['1. a\n  - b\n    - c\n2. d', '<ol><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ol>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['- a\n\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['- a\n\n  b', '<ul><li>a<p>b</p></li></ul>'],
    ['- [x] a\n- [ ] b', '<ul><li class="task"><span class="tick">☑ </span>a</li><li class="task"><span class="tick">☐ </span>b</li></ul>'],
    ['a\n- b', '<p>a</p><ul><li>b</li></ul>'],
    ['a\n2. b', '<p>a<br>2. b</p>'],
    ['> a\nb\n\nc', '<blockquote><p>a<br>b</p></blockquote><p>c</p>'],
    ['```py\na < b\n```\nc', '<div class="code"><pre><code>a &lt; b</code></pre></div><p>c</p>'],
    ['```make\nall:\n\techo x\r\n```', '<div class="code"><pre><code>all:\n\techo x</code></pre></div>'],
    ['[a](https://b.example/(c))', '<p><a href="https://b.example/(c)">a</a></p>'],
    ['![a](https://b.example/c.png)', '<p><a href="https://b.example/c.png">a</a></p>'],
    ['see https://b.example/c.', '<p>see <a href="https://b.example/c">https://b.example/c</a>.</p>'],
    ['(www.b.example)', '<p>(<a href="https://www.b.example/">www.b.example</a>)</p>'],
    ['[a](javascript:x) b', '<p>a b</p>'],
    ['<b>x</b> &amp; &copy;', '<p>&lt;b&gt;x&lt;/b&gt; &amp; ©</p>'],
    ['| a | b |\n|:-:|--:|\n| 1 | 2 |', '<div class="table"><table><thead><tr><th class="center">a</th><th class="right">b</th></tr></thead><tbody><tr><td class="center">1</td><td class="right">2</td></tr></tbody></table></div>'],
    ['中文**加粗**。', '<p>中文<strong>加粗</strong>。</p>'],
  ])('%j', (text, expected) => {
    expect(html(text)).toBe(expected)
  })

  it('says the language of code and offers to copy it', () => {
    const element = rendered('```python title="x"\n1\n```')
    expect(element.querySelector('.language')?.textContent).toBe('python')
    expect(element.querySelector('[data-part=copy]')?.textContent).toBe(en.copy)
  })

  it.each([...CORPUS, ...HOSTILE])('is the same wherever it is cut: %j', (text) => {
    const whole = rendered(text).innerHTML
    for (let cut = 0; cut <= text.length; cut += 1)
      expect(rendered(text.slice(0, cut), text).innerHTML, `cut at ${cut}`).toBe(whole)
  })

  it.each([...CORPUS, ...HOSTILE, CORPUS.join('\n\n'), CORPUS.join('\n')])('is the same character by character: %j', (text) => {
    const whole = rendered(text).innerHTML
    const steps = Array.from({ length: text.length }, (_, index) => text.slice(0, index + 1))
    expect(rendered(...steps, text).innerHTML).toBe(whole)
  })

  it('keeps nodes that are done, and appends to the text that grows', () => {
    const element = document.createElement('div')
    const markdown = new Markdown(element, en)
    markdown.set('First.\n\nSec', true)
    const [first, second] = element.children
    const text = second?.firstChild
    markdown.set('First.\n\nSecond is longer.', true)
    markdown.set('First.\n\nSecond is longer.', false)
    expect([...element.children]).toEqual([first, second])
    expect(second?.firstChild).toBe(text)
  })

  it('touches nothing when the reply is exactly its draft', async () => {
    const element = document.createElement('div')
    const markdown = new Markdown(element, en)
    const text = 'Done **well**.\n\n- a\n- b'
    markdown.set(text, true)
    let changes = 0
    const observer = new MutationObserver((records) => (changes += records.length))
    observer.observe(element, { subtree: true, childList: true, characterData: true, attributes: true })
    markdown.set(text, false)
    await new Promise((resolve) => setTimeout(resolve))
    observer.disconnect()
    expect(changes).toBe(0)
  })

  it('takes another text for a new one', () => {
    expect(rendered('One\n\nTwo', 'Three').innerHTML).toBe('<p>Three</p>')
  })

  it('closes what is open while it is written', () => {
    const element = document.createElement('div')
    const markdown = new Markdown(element, en)
    markdown.set('a **bold', true)
    expect(element.innerHTML).toBe('<p>a <strong>bold</strong></p>')
    markdown.set('a **bold** and [a link](https://exa', true)
    expect(element.textContent).toBe('a bold and a link')
    markdown.set('a **bold** and `co', true)
    expect(element.querySelector('code')?.textContent).toBe('co')
    markdown.set('| a | b |', true)
    expect(element.textContent).toBe('')
  })
})

describe('hostile Markdown', () => {
  it.each(HOSTILE)('is inert at every length: %j', (text) => {
    const element = document.createElement('div')
    const markdown = new Markdown(element, en)
    for (let end = 1; end <= text.length; end += 1) {
      markdown.set(text.slice(0, end), true)
      guard(element, text.slice(0, end))
    }
    markdown.set(text, false)
    guard(element, text)
  })

  it('all at once is inert too', () => {
    guard(rendered(HOSTILE.join('\n\n')), 'all')
    guard(rendered(HOSTILE.join(' ')), 'all in one line')
  })

  it.each([
    ['brackets', '['],
    ['pictures', '!['],
    ['links', '[a]('],
    ['closed links', '[](('],
    ['stars', '*a '],
    ['runs of stars', '**a *b'],
    ['underscores', '_a _'],
    ['backticks', '`a``b```'],
    ['quotes', '> '],
    ['lists', '- '],
    ['numbers', '1. '],
    ['angles', '<a'],
    ['entities', '&#x'],
    ['tables', '|-'],
    ['spaces', ' '],
    ['hashes', '# '],
    ['only hashes', '#'],
    ['only stars', '*'],
    ['addresses', 'https://a.b/!!!'],
    ['backslashes', '\\'],
    ['newlines', '-\n'],
    ['nested lists', '- a\n  '],
  ])('takes no time to speak of: %s', (_, piece) => {
    const many = piece.repeat(Math.ceil(20_000 / piece.length))
    for (const text of [`x ${many} y`, many]) {
      const begun = performance.now()
      rendered(text.slice(0, -1), text)
      expect(performance.now() - begun).toBeLessThan(3_000)
    }
  })
})
