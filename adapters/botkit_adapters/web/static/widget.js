(function(){var e=class extends Error{status;code;retryAfter;limit;allowed;constructor(e,t,n,r,i,a){super(n),this.status=e,this.code=t,this.retryAfter=r,this.limit=i,this.allowed=a}},t=class extends Error{};function n(n){return n instanceof t||n instanceof e&&(n.status===408||n.status===429||n.status>=500)}function r(t){return t instanceof e&&(t.code===`origin_not_allowed`||t.code===`invalid_identity`)}function i(t){return t instanceof e&&(t.status===401||t.code===`other_session`)}var a=3e4,o=18e4,s=16e3,c=class{server;constructor(e){this.server=e}begin(e,t){return this.#e(`POST`,`web/sessions`,t,e)}send(e,t){return this.#e(`POST`,`web/messages`,e,t)}rate(e,t){return this.#e(`POST`,`web/feedback`,e,t)}earlier(e,t){return this.#e(`GET`,`web/messages?before=${t}&limit=50`,e)}async upload(e,t){return await(await this.#t(`web/files?name=${encodeURIComponent(t.name)}`,{method:`POST`,headers:{authorization:`Bearer ${e}`,"content-type":t.type||`application/octet-stream`},body:t,signal:AbortSignal.timeout(o)})).json()}stream(e,t,n,r){let i={authorization:`Bearer ${e}`,accept:`text/event-stream`};return n&&(i[`last-event-id`]=n),this.#t(`web/stream?session=${encodeURIComponent(t)}`,{headers:i,signal:r})}async there(){try{return await fetch(`${this.server}widget.js`,{method:`HEAD`,mode:`no-cors`,cache:`no-store`}),!0}catch{return!1}}address(e){try{let t=new URL(e.startsWith(`/`)?`.${e}`:e,this.server);return t.origin===new URL(this.server).origin?t.href:null}catch{return null}}async#e(e,n,r,i){let o={};r&&(o.authorization=`Bearer ${r}`);let c={method:e,headers:o,signal:AbortSignal.timeout(a)};i&&(o[`content-type`]=`application/json`,c.body=JSON.stringify(i),c.keepalive=c.body.length<s);let l=await this.#t(n,c);try{return await l.json()}catch(e){throw new t(String(e))}}async#t(e,n){let r;try{r=await fetch(this.server+e,{...n,credentials:`omit`,cache:`no-store`})}catch(e){throw new t(String(e))}if(r.ok)return r;throw await l(r)}};async function l(t){let n={};try{n=(await t.json()).error??{}}catch{}return new e(t.status,n.code??``,n.message??``,Number(t.headers.get(`retry-after`))||0,n.limit??0,n.allowed??[])}function u(e,t){switch(e){case`reset`:case`bye`:return{event:e};case`entry`:return{event:`entry`,entry:JSON.parse(t)};case`draft`:return{event:`draft`,piece:JSON.parse(t)};case`status`:return{event:`status`,status:JSON.parse(t)};default:return null}}var d=class{#e=new TextDecoder;#t=``;#n=!1;#r=[];#i=``;#a;constructor(e=``){this.#a=e}push(e){let t=this.#e.decode(e,{stream:!0});this.#n&&t.startsWith(`
`)&&(t=t.slice(1)),t&&(this.#n=t.endsWith(`\r`));let n=(this.#t+t).split(/\r\n|\r|\n/);this.#t=n.pop()??``;let r=[];for(let e of n){let t=this.#o(e);t&&r.push(t)}return r}#o(e){if(e===``)return this.#s();let t=e.indexOf(`:`);if(t===0)return null;let n=t<0?e:e.slice(0,t),r=t<0?``:e.slice(e[t+1]===` `?t+2:t+1);return n===`event`?this.#i=r:n===`data`?this.#r.push(r):n===`id`&&!r.includes(`\0`)&&(this.#a=r),null}#s(){let e={name:this.#i||`message`,data:this.#r.join(`
`),id:this.#a},t=this.#r.length===0;return this.#i=``,this.#r=[],t?null:e}},ee=4e4,te=3e4;async function ne(t,n){let i=0;for(;!n.aborted;){let a,o=0;t.linked(`connecting`);let s=Date.now();try{let{taken:e,bye:r}=await re(t,n);i=e||Date.now()-s>5e3?0:i+1,a=r||i===0?50:f(i)}catch(s){if(n.aborted)break;if(r(s)){t.linked(`refused`),t.refused(s);return}i+=1,a=f(i),o=s instanceof e?s.retryAfter*1e3:0}if(n.aborted)break;t.linked(`lost`),await(o>0?ie(o,n):ae(a,n))}t.linked(`idle`)}async function re(e,t){let n=new AbortController,r=()=>n.abort();t.addEventListener(`abort`,r);let i=setTimeout(r,ee),a=!1,o=!1;try{let s=(await e.connect(n.signal)).body?.getReader();if(!s)return{taken:a,bye:o};e.linked(`open`);let c=new d(e.cursor());for(;;){let{done:n,value:l}=await s.read().catch(()=>({done:!0,value:void 0}));if(n||t.aborted)return{taken:a,bye:o};clearTimeout(i),i=setTimeout(r,ee),e.alive();for(let{name:n,data:r,id:i}of c.push(l)){let s=u(n,r);if(t.aborted)return{taken:a,bye:o};s?.event===`bye`?o=!0:s&&e.take(s,i),a||=s!==null&&s.event!==`status`&&s.event!==`reset`}if(o)return{taken:a,bye:o}}}finally{clearTimeout(i),t.removeEventListener(`abort`,r),n.abort()}}function f(e){return Math.min(te,400*2**Math.min(e,8))*(.75+Math.random()/2)}function ie(e,t){return new Promise(n=>{let r=()=>{clearTimeout(i),t?.removeEventListener(`abort`,r),n()},i=setTimeout(r,e);t?.addEventListener(`abort`,r)})}async function ae(e,t){let n=new AbortController,r=()=>n.abort(),i=()=>{document.hidden||r()};addEventListener(`online`,r),document.addEventListener(`visibilitychange`,i),t?.addEventListener(`abort`,r),await ie(e,n.signal),removeEventListener(`online`,r),document.removeEventListener(`visibilitychange`,i),t?.removeEventListener(`abort`,r)}var oe=class{conversation;#e=[];#t=new Map;#n=new AbortController;#r=null;constructor(e){this.conversation=e}get busy(){return this.#e.length>0}add(e,t){let{kind:n=`message`,text:r,attachments:i=[],replaces:a=``,shown:o=!0}=t;this.conversation.dispatch({event:`sending`,message:{id:e,kind:n,text:r,files:p(i),replaces:a,at:Date.now()/1e3,state:`sending`,reason:``,shown:o}}),this.#e.push({id:e,sending:t,failures:0}),this.#i()}again(e){let t=this.#t.get(e);t&&(this.#t.delete(e),this.#c(e,`sending`),this.#e.push(t),this.#i())}discard(e){this.#t.delete(e),this.#e=this.#e.filter(t=>t.id!==e),this.conversation.dispatch({event:`discard`,id:e})}clear(){this.#e=[],this.#t.clear(),this.#n.abort(),this.#n=new AbortController}async#i(){let e=this.#n;if(this.#r!==e){this.#r=e;for(let t=this.#e[0];t&&e===this.#n;t=this.#e[0])try{await this.#a(t),this.#s(t),t.sending.shown===!1?this.conversation.dispatch({event:`discard`,id:t.id}):this.#c(t.id,`sent`,``,p(t.sending.attachments??[]))}catch(n){await this.#o(t,n,e.signal)}this.#r===e&&(this.#r=null)}}async#a({id:e,sending:t}){let{conversation:n}=this,r=t.attachments??[];await n.call(async i=>{for(let e of r)e.file&&e.session!==i.session&&(e.info=await n.api.upload(i.token,e.file),e.session=i.session);let a=r.filter(e=>e.session===i.session);await n.api.send(i.token,se(e,t,p(a),n.locale))})}async#o(t,r,i){if(i.aborted)return;if(t.failures+=1,!n(r)){this.#s(t),this.#t.set(t.id,t),this.#c(t.id,`failed`,r instanceof e?r.message:``),this.conversation.report(r);return}let a=r instanceof e?r.retryAfter:0;this.#c(t.id,`waiting`,a?String(a):``),await(a?ie(a*1e3,i):ae(f(t.failures),i)),this.#e.includes(t)&&this.#c(t.id,`sending`)}#s(e){this.#e=this.#e.filter(t=>t!==e)}#c(e,t,n=``,r){this.conversation.dispatch({event:`progress`,id:e,state:t,reason:n,...r?{files:r}:{}})}};function p(e){return e.flatMap(e=>e.info?[e.info]:[])}function se(e,t,n,r){let{kind:i=`message`,text:a,replaces:o,name:s,value:c,about:l}=t,u={id:e,kind:i,text:a,locale:r};return n.length&&(u.files=n.map(e=>e.id)),o&&(u.replaces=o),s&&(u.name=s),c&&(u.value=c),l&&(u.about=l),i===`action`&&(u.label=a),i!==`message`&&delete u.text,u}var ce=class{server;named=!1;#e=null;#t=!1;constructor(e){this.server=e}get#n(){return`botkit ${this.server}${this.named?` named`:``}`}read(){if(this.#t)return this.#e;try{let e=localStorage.getItem(this.#n);return e?le(JSON.parse(e)):null}catch{return this.#e}}write(e){this.#e=e;try{localStorage.setItem(this.#n,JSON.stringify(e))}catch{this.#t=!0}}forget(){this.#e=null;try{localStorage.removeItem(this.#n)}catch{}}watch(e){addEventListener(`storage`,t=>{(t.key===this.#n||t.key===null)&&e()})}};function le(e){let t=e;return[t?.session,t?.token,t?.epoch,t?.start].every(e=>typeof e==`string`&&/^[ -~]*$/.test(e))&&[t?.taken,t?.seen].every(Number.isFinite)&&t?.session&&t.token?t:null}function m(){if(crypto.randomUUID)return crypto.randomUUID();let e=crypto.getRandomValues(new Uint8Array(16));return e[6]=(e[6]??0)&15|64,e[8]=(e[8]??0)&63|128,Array.from(e,e=>e.toString(16).padStart(2,`0`)).join(``).replace(/^(.{8})(.{4})(.{4})(.{4})/,`$1-$2-$3-$4-`)}var ue=class{vault;live=!1;#e=``;#t=0;constructor(e){this.vault=e}get value(){return this.vault.read()}begun({session:e,token:t},n){let r=this.value,i={session:e,token:t,epoch:``,pending:n,taken:0,seen:0,start:n?``:m()},a=r?.session===e?{...r,token:t}:i;e!==this.#e&&(this.#t=a.taken,this.live=!1),this.#e=e,this.vault.write(a)}moved(e){let t=e.split(`.`,1)[0]??``,n=this.value;n&&n.epoch!==t&&(n.epoch&&(this.#t=0),this.change({epoch:t,...n.epoch?{taken:0,seen:0}:{}}))}entered(e,t){let n=this.#t;return this.#t=Math.max(n,e.seq),this.change({taken:Math.max(this.value?.taken??0,e.seq)}),t&&this.seen(e.seq),e.seq>n&&(n>0||this.live)}seen(e){e>(this.value?.seen??0)&&this.change({seen:e})}unread(e){let t=this.value?.seen??0;return e.filter(e=>e.role===`assistant`&&e.seq>t&&(e.text||e.files)).length}change(e){let t=this.value;!t||this.#e&&this.#e!==t.session||Object.entries(e).some(([e,n])=>t[e]!==n)&&this.vault.write({...t,...e})}};function de(){return self.origin===`null`?null:navigator.locks??null}var fe=45e3,pe=class{name;lead;hear;#e;#t;#n=!1;#r=null;#i=!1;#a=0;#o;constructor(e,t,n){this.name=e,this.lead=t,this.hear=n,this.#t=de(),this.#e=this.#t&&`BroadcastChannel`in globalThis?new BroadcastChannel(e):null,this.#e?.addEventListener(`message`,e=>{this.#a=Date.now(),(this.#n||e.data.kind===`hello`)&&this.hear(e.data)})}get leads(){return this.#i}want(e){e!==this.#n&&(this.#n=e,clearInterval(this.#o),e?(this.#a=Date.now(),this.#l(!1),this.tell({kind:`hello`}),this.#o=setInterval(()=>this.#s(),fe/3)):this.#c())}tell(e){this.#e?.postMessage(e)}close(){this.want(!1),this.#e?.close()}#s(){this.#i||document.hidden||Date.now()-this.#a<fe||(this.#c(),this.#l(!0))}#c(){this.#i=!1,this.#r?.abort()}#l(e){let t=new AbortController;this.#r=t;let n=async()=>{t.signal.aborted||(this.#i=!0,await this.lead(t.signal))},r=this.#t?this.#t.request(this.name,e?{steal:e}:{signal:t.signal},n):n();Promise.resolve(r).catch(()=>void 0).then(()=>{let e=!t.signal.aborted;t.abort(),this.#r===t&&(this.#i=!1,this.#r=null,this.#a=Date.now(),e&&this.#n&&this.#t&&this.#l(!1))})}},h=class extends Error{},me=class{api;vault;owner;current=null;blocked=!1;#e=!1;#t=null;#n=null;#r=new AbortController;constructor(e,t,n){this.api=e,this.vault=t,this.owner=n,t.watch(()=>this.elsewhere())}get beginning(){return this.#t!==null}identify(e,t=!0){let n=this.#n,r=ge(e)!==ge(n);this.vault.named=!0,t&&(e===null||r&&n!==null)&&this.vault.forget(),this.vault.named=e!==null,e!==n&&(this.#n=e,t&&e===null&&this.vault.forget(),(r||!this.current)&&(this.current=null,this.#t=null,this.#r.abort(),this.#r=new AbortController,r&&this.owner.left()))}begin(e=``){if(this.current)return Promise.resolve(this.current);if(this.#t)return this.#t;let{signal:t}=this.#r,n=he(`botkit ${this.api.server}`,()=>Promise.race([_e(t),this.#i(e,t)])).finally(()=>{this.#t===n&&(this.#t=null)});return this.#t=n,n}async call(e){let{signal:t}=this.#r,n=await this.begin(),r;try{g(t),r=await e(n)}catch(a){if(g(t),!i(a))throw a;this.current===n&&(this.current=null);let o=await this.begin(n.token);g(t),r=await e(o)}return g(t),r}block(){if(this.blocked=!0,this.#e)return;this.#e=!0;let{origin:e}=location;console.error(self.origin===`null`?`botkit: a sandboxed frame has no origin, and no BOTKIT_WEB_ORIGINS lets it in; give it allow-same-origin.`:`botkit: ${this.api.server} does not answer pages of ${e}. Add this origin to the bot's settings: BOTKIT_WEB_ORIGINS=${e} (several are separated by commas), and start the bot again.`)}async#i(e,t){g(t);let n=this.vault.read()?.token,r={locale:this.owner.locale,timezone:Intl.DateTimeFormat().resolvedOptions().timeZone,...this.#n?{identity:this.#n}:{}},a;try{a=await this.api.begin(r,n===e?void 0:n)}catch(e){if(g(t),await this.#a(e),g(t),!n||!i(e))throw e;a=await this.api.begin(r)}return g(t),this.blocked=!1,this.current=a,this.owner.begun(a),a}async#a(n){(n instanceof e&&n.code===`origin_not_allowed`||n instanceof t&&!this.blocked&&navigator.onLine&&await this.api.there())&&this.block()}elsewhere(){let e=this.vault.read();this.current&&e?.session!==this.current.session&&(this.#n?e||this.identify(null,!1):(this.current=null,e&&this.begin().catch(()=>void 0)))}};function he(e,t){let n=de();return n?n.request(e,t):t()}function ge(e){try{let{sub:t}=JSON.parse(atob((e?.split(`.`)[1]??``).replace(/-/g,`+`).replace(/_/g,`/`)));if(typeof t==`string`)return`sub ${t}`}catch{}return e}function g(e){if(e.aborted)throw new h}function _e(e){return new Promise((t,n)=>e.addEventListener(`abort`,()=>n(new h)))}var ve=200,_={log:[],messages:[],ratings:new Map,rated:new Map,drafts:[],keys:new Map,status:null,outgoing:[],more:!1,given:0};function ye(e,t){switch(t.event){case`clear`:return _;case`reset`:return{..._,keys:e.keys,outgoing:e.outgoing.filter(e=>e.state!==`sent`)};case`entry`:return xe(e,t.entry);case`draft`:return Se(e,t.piece);case`status`:return{...e,status:t.status};case`adopt`:return Ce(e,t.snapshot);case`earlier`:return{...e,...y(we(t.entries,e.log)),more:t.more};case`sending`:return{...e,outgoing:[...e.outgoing.filter(e=>e.id!==t.message.id),t.message]};case`progress`:return{...e,outgoing:e.outgoing.map(e=>e.id===t.id?{...e,state:t.state,reason:t.reason??``,files:t.files??e.files}:e)};case`discard`:return{...e,outgoing:e.outgoing.filter(e=>e.id!==t.id)};case`rate`:return{...e,rated:new Map(e.rated).set(t.about,{value:t.value,comment:t.comment})};case`unrate`:return{...e,rated:Ee(e.rated,t.about)};case`bye`:return e}}function be({log:e,drafts:t,status:n,more:r,given:i}){return{log:e,drafts:t,status:n,more:r,given:i}}function v(e){return e.status===null?e.drafts.length>0:e.status.state!==`idle`}function xe(e,t){let n=we(e.log,[t]),r=e.given+1,i=e.more||r>=ve&&(n[0]?.seq??1)>1,a={...e,...y(n),given:r,more:i};if(t.role===`rating`)return{...a,rated:Ee(e.rated,t.about)};if(t.role===`user`){let n=new Set(a.messages.map(e=>e.id)),r=new Set(e.messages.filter(e=>!n.has(e.id)).map(e=>e.id));return{...a,outgoing:e.outgoing.filter(e=>e.id!==t.id),drafts:e.drafts.filter(e=>!r.has(e.replyTo))}}let o=e.drafts.find(e=>e.replyTo===t.reply_to);return o?{...a,drafts:e.drafts.filter(e=>e!==o),keys:new Map(e.keys).set(t.id,o.key)}:a}function Se(e,t){let n=e.drafts.find(e=>e.replyTo===t.reply_to),r=t.at===0?t.text:(n?.text??``)+t.text,i=n?.key??`draft ${t.draft}`,a={draft:t.draft,replyTo:t.reply_to,text:r,key:i},o=n?e.drafts.map(e=>e===n?a:e):[...e.drafts,a];return{...e,drafts:o}}function Ce(e,{log:t,drafts:n,status:r,more:i,given:a}){let o=new Set(t.map(e=>e.id)),s=new Map(e.keys);for(let n of e.drafts){let e=t.find(e=>e.role===`assistant`&&e.reply_to===n.replyTo);e&&s.set(e.id,n.key)}return{...e,...y(t),drafts:n,status:r,more:i,given:a,keys:s,outgoing:e.outgoing.filter(e=>!o.has(e.id))}}function we(e,t){let n=new Set(t.map(e=>e.id)),r=[...e.filter(e=>!n.has(e.id)),...t];return r.every((e,t)=>t===0||(r[t-1]?.seq??0)<=e.seq)?r:r.sort((e,t)=>e.seq-t.seq)}function y(e){let t=new Set;for(let n of e)if(n.role===`user`)for(let r of Te(n,e))t.add(r);let n=[],r=new Map;for(let i of e)t.has(i.id)||(i.role===`rating`?r.set(i.about,{value:i.value,comment:i.comment??``}):n.push(i));return{log:e,messages:n,ratings:r}}function Te({replaces:e,removes:t},n){return t||!e?t??[]:[e,...n.filter(t=>t.role===`assistant`&&t.reply_to===e).map(e=>e.id)]}function Ee(e,t){if(!e.has(t))return e;let n=new Map(e);return n.delete(t),n}function De(e){return{name:e.name,type:e.type,size:e.size,file:e,info:null,session:``,state:`uploading`}}function Oe(e,t){return{name:e.name,type:e.type,size:e.size,file:null,info:e,session:t,state:`ready`}}function ke(e,t,n){let r={name:e.name,limit:0};return n>=t.files?{...r,key:`tooMany`,limit:t.files}:e.size>t.file_bytes?{...r,key:`tooLarge`,limit:t.file_bytes}:je(e.type,t.file_types)?null:{...r,key:`badType`}}function Ae(t,r){return r instanceof e&&r.code===`file_too_large`?{key:`tooLarge`,name:t,limit:r.limit}:r instanceof e&&r.code===`file_type_not_allowed`?{key:`badType`,name:t,limit:0}:n(r)?{key:`uploadFailed`,name:t,limit:0}:null}function je(e,t){let n=e.split(`;`,1)[0]?.trim().toLowerCase()??``;return n===``||t.some(e=>e===n||e===`*/*`||e.endsWith(`/*`)&&n.startsWith(e.slice(0,-1)))}var Me=6e4,Ne=class{state=_;link=`idle`;locale=navigator.language;person=0;api;#e;#t;#n=new oe(this);#r=new Map;#i=new Set;#a=``;#o=null;#s=!1;#c=0;#l=0;#u;#d=!1;constructor(e){this.api=new c(e);let t=new ce(e);this.#e=new ue(t),this.#t=new me(this.api,t,this),document.addEventListener(`visibilitychange`,()=>this.#h()),addEventListener(`online`,()=>{this.#g(),this.#T()}),addEventListener(`offline`,()=>this.#T()),addEventListener(`pagehide`,()=>{this.#d=!0,this.#m()}),addEventListener(`pageshow`,()=>{this.#d=!1,this.#t.elsewhere(),this.#g()})}get session(){return this.#t.current}get limits(){return this.session?.limits??null}get remembered(){return this.#e.value}on(e,t){let n=this.#r.get(e)??new Set;return this.#r.set(e,n),n.add(t),()=>n.delete(t)}emit(e,t){for(let n of this.#r.get(e)??[])n(t)}resume(){this.remembered?.pending&&(this.#s=!0,this.#g())}watch(e){return this.#i.add(e),this.#s=!0,this.#g(),this.seen(),this.#C(),this.begin().catch(e=>this.report(e)),()=>{this.#i.delete(e),this.#g()}}get watched(){return this.#i.size>0}get unread(){return this.#e.unread(this.state.messages)}seen(){this.#e.seen(this.state.log.at(-1)?.seq??0)}send(e){this.#s=!0,this.#e.change({pending:!0,start:``}),this.#n.add(m(),e),this.#g()}ask({id:e,text:t=``,files:n=[]}){let r=this.session?.session??``;this.send({text:t,attachments:n.map(e=>Oe(e,r)),replaces:e})}again(e){this.#n.again(e)}discard(e){this.#n.discard(e)}async stop(e){let t={id:m(),kind:`stop`,about:e};return await this.#w(e=>this.api.send(e.token,t))!==null}async rate(e,t,n){this.dispatch({event:`rate`,about:e,value:t,comment:n}),await this.#w(r=>this.api.rate(r.token,{message:e,value:t,comment:n}))||this.dispatch({event:`unrate`,about:e})}async earlier(){let e=this.state.log[0]?.seq;if(e===void 0)return;let t=await this.#w(t=>this.api.earlier(t.token,e));t&&this.dispatch({event:`earlier`,entries:t.entries,more:t.more})}async upload(e){let{file:t}=e;t&&await this.call(async n=>{e.info=await this.api.upload(n.token,t),e.session=n.session})}identify(e){this.#t.identify(e),this.#s&&!this.session&&this.begin().catch(e=>this.report(e))}dispatch(e){let t=this.state;this.state=ye(t,e),this.state!==t&&((v(t)!==v(this.state)||t.outgoing.length!==this.state.outgoing.length)&&this.#g(),this.#T())}begin(){return this.#t.begin()}call(e){return this.#t.call(e)}report(r){if(r instanceof h)return;let i=r instanceof e?r:null;i?.code===`origin_not_allowed`&&this.#t.block(),this.emit(`error`,{code:i?.code||(r instanceof t?`unreachable`:`error`),message:r instanceof Error?r.message:String(r)}),i&&!n(r)&&console.warn(`botkit: ${i.status} ${i.code}: ${i.message}`)}connect(e){return this.call(t=>this.api.stream(t.token,t.session,this.#a,e))}cursor(){return this.#a}take(e,t){this.#b(e,t),this.#o?.tell({kind:`event`,event:e,id:t})}linked(e){e!==this.link&&(this.link=e,this.#o?.tell({kind:`link`,link:e}),this.#T())}alive(){this.#o?.tell({kind:`beat`})}refused(e){this.report(e)}begun(e){this.#l=0,this.#e.begun(e,this.state.outgoing.length>0),this.#o&&this.#o.name!==this.#f&&this.#p(),this.#g(),this.#T()}left(){this.person+=1,this.#n.clear(),this.#p(),this.state=_,this.link=`idle`,this.#l=0,this.#g(),this.#T()}get#f(){return`botkit ${this.api.server} ${this.session?.session??``}`}#p(){this.#m(),this.#a=``;let{outgoing:e}=this.state;this.state={..._,outgoing:e.filter(e=>e.state!==`sent`)}}#m(){this.#o?.close(),this.#o=null}#h(){this.#c=document.hidden?Date.now():0,document.hidden&&setTimeout(()=>this.#g(),60100),this.#g(),!document.hidden&&this.watched&&this.seen()}#g(){if(this.#d)return;let e=this.#s&&!(this.#c&&Date.now()-this.#c>=Me);if(!(this.watched||e||v(this.state)||this.#n.busy))this.#o?.want(!1);else{if(!this.session)return this.#_();this.#o??=new pe(this.#f,e=>this.#v(e),e=>this.#y(e)),this.#o.want(!0)}}#_(){this.#t.beginning||(clearTimeout(this.#u),this.link!==`refused`&&(this.link=`connecting`),this.begin().catch(t=>{if(t instanceof h||(this.link=this.#t.blocked||r(t)?`refused`:`lost`,this.#T(),r(t)))return;let n=t instanceof e?t.retryAfter*1e3:0;this.#l+=1,clearTimeout(this.#u),this.#u=setTimeout(()=>this.#g(),Math.max(n,f(this.#l)))}))}async#v(e){await ne(this,e),e.aborted||await new Promise(t=>e.addEventListener(`abort`,t))}#y(e){if(e.kind===`hello`){if(!this.#o?.leads)return;this.#o.tell({kind:`snapshot`,snapshot:be(this.state),id:this.#a}),this.#o.tell({kind:`link`,link:this.link})}else e.kind===`event`?this.#b(e.event,e.id):e.kind===`snapshot`&&!this.#o?.leads?(e.id&&this.#x(e.id),this.dispatch({event:`adopt`,snapshot:e.snapshot}),this.watched&&this.seen()):e.kind===`link`&&(this.link=e.link,this.#T())}#b(e,t){t&&this.#x(t),e.event===`entry`&&this.state.outgoing.some(t=>t.id===e.entry.id)&&(this.#e.live=!0),this.dispatch(e),e.event===`entry`&&this.#S(e.entry),e.event===`status`&&(this.#e.live=!0,this.#n.busy||this.#e.change({pending:e.status.state!==`idle`}),this.#C())}#x(e){this.#a=e,this.#e.moved(e)}#S(e){this.#e.entered(e,this.watched&&!document.hidden)&&this.emit(`message`,e)}#C(){let e=this.remembered?.start;if(!e||!this.watched||!this.state.status||this.state.log.length||this.state.outgoing.length)return;this.#e.change({start:``});let t={id:e,kind:`start`,locale:this.locale};this.#w(e=>this.api.send(e.token,t))}async#w(e){try{return await this.call(e)}catch(e){return this.report(e),null}}#T(){this.emit(`change`,void 0)}};function Pe(e){return e.role===`assistant`&&!!(e.text||e.files?.length)}var Fe=[79,70,229],Ie=[241,243,246],Le=[43,47,56],b=4.55,x=[0,0,0],S=[255,255,255],Re=[17,19,24];function ze(e){return{accent:w(e),onAccent:w(Be(e)),onLight:w(Ve(e,Ie,x)),onDark:w(Ve(e,Le,S))}}function Be(e){return C(S,e)>=b?S:C(Re,e)>=b?Re:C(x,e)>C(S,e)?x:S}function Ve(e,t,n){for(let r=0;r<=50;r+=1){let i=qe(e,n,r/50);if(C(i,t)>=b)return i}return n}function C(e,t){let[n,r]=[He(e),He(t)];return(Math.max(n,r)+.05)/(Math.min(n,r)+.05)}function He([e,t,n]){return .2126*Ke(e)+.7152*Ke(t)+.0722*Ke(n)}function Ue(e){let t=/^#([\da-f]{3,8})$/i.exec(e.trim())?.[1];return t?We(t):e.trim()?Ge(e.trim()):null}function We(e){let[t,n,r]=(e.length===3||e.length===4?[...e].map(e=>e+e):e.length===6||e.length===8?e.match(/../g)??[]:[]).map(e=>parseInt(e,16));return t===void 0||n===void 0||r===void 0?null:[t,n,r]}function Ge(e){if(!globalThis.CSS?.supports(`color`,e))return null;let t=document.createElement(`canvas`).getContext(`2d`,{willReadFrequently:!0});if(!t)return null;t.fillStyle=e,t.fillRect(0,0,1,1);let[n=0,r=0,i=0]=t.getImageData(0,0,1,1).data;return[n,r,i]}function Ke(e){let t=e/255;return t<=.04045?t/12.92:((t+.055)/1.055)**2.4}function qe(e,t,n){let r=r=>Math.round(e[r]+(t[r]-e[r])*n);return[r(0),r(1),r(2)]}function w([e,t,n]){return`rgb(${e} ${t} ${n})`}var Je={title:`Chat`,open:`Open chat`,close:`Close chat`,unread:`New messages: {count}`,welcome:`How can I help?`,you:`You`,placeholder:`Write a message…`,send:`Send`,stop:`Stop`,typing:`Writing…`,queued:`Waiting in line…`,stopped:`Stopped`,retry:`Try again`,edit:`Edit`,cancel:`Cancel`,copy:`Copy`,copied:`Copied`,good:`Good reply`,bad:`Bad reply`,comment:`What should we know? (optional)`,thanks:`Thank you!`,menu:`More options`,restart:`New conversation`,human:`Talk to a human`,attach:`Attach files`,remove:`Remove {name}`,tooLarge:`{name} is too large. At most {size}.`,badType:`{name}: files of this type can’t be sent.`,tooMany:`At most {count} files at a time.`,uploadFailed:`{name} could not be uploaded.`,tooLong:`Too long by {count} characters`,sending:`Sending…`,waiting:`Will be sent as soon as possible`,limited:`That was quick! Sending again in {count} s.`,failed:`Not sent`,earlier:`Load earlier messages`,latest:`Jump to the latest`,offline:`You are offline.`,connecting:`Reconnecting…`,unavailable:`The chat is not available at the moment.`};function T(e){let t=e.split(`
`),n=Object.keys(Je).map((e,n)=>[e,t[n]??``]);return Object.fromEntries(n)}var Ye={en:Je,de:T(`Chat
Chat öffnen
Chat schließen
Neue Nachrichten: {count}
Wie kann ich helfen?
Sie
Nachricht schreiben …
Senden
Stopp
Schreibt …
In der Warteschlange …
Gestoppt
Noch einmal
Bearbeiten
Abbrechen
Kopieren
Kopiert
Gute Antwort
Schlechte Antwort
Was sollten wir wissen? (freiwillig)
Vielen Dank!
Weitere Optionen
Neue Unterhaltung
Mit einem Menschen sprechen
Dateien anhängen
{name} entfernen
{name} ist zu groß. Höchstens {size}.
{name}: Dateien dieser Art können nicht gesendet werden.
Höchstens {count} Dateien auf einmal.
{name} konnte nicht hochgeladen werden.
{count} Zeichen zu lang
Wird gesendet …
Wird gesendet, sobald es geht
Das ging schnell! Neuer Versuch in {count} s.
Nicht gesendet
Frühere Nachrichten laden
Zum Neuesten
Sie sind offline.
Verbindung wird wiederhergestellt …
Der Chat ist gerade nicht verfügbar.`),nl:T(`Chat
Chat openen
Chat sluiten
Nieuwe berichten: {count}
Hoe kan ik helpen?
U
Schrijf een bericht…
Versturen
Stoppen
Aan het typen…
In de wachtrij…
Gestopt
Opnieuw proberen
Bewerken
Annuleren
Kopiëren
Gekopieerd
Goed antwoord
Slecht antwoord
Wat moeten we weten? (optioneel)
Bedankt!
Meer opties
Nieuw gesprek
Met een medewerker praten
Bestanden bijvoegen
{name} verwijderen
{name} is te groot. Hoogstens {size}.
{name}: dit soort bestanden kan niet worden verstuurd.
Hoogstens {count} bestanden tegelijk.
{name} kon niet worden geüpload.
{count} tekens te lang
Versturen…
Wordt verstuurd zodra het kan
Dat ging snel! Nieuwe poging over {count} s.
Niet verstuurd
Eerdere berichten laden
Naar het nieuwste
U bent offline.
Opnieuw verbinden…
De chat is op dit moment niet beschikbaar.`),fr:T(`Discussion
Ouvrir la discussion
Fermer la discussion
Nouveaux messages : {count}
Comment puis-je vous aider ?
Vous
Écrivez un message…
Envoyer
Arrêter
En train d’écrire…
Dans la file d’attente…
Arrêté
Réessayer
Modifier
Annuler
Copier
Copié
Bonne réponse
Mauvaise réponse
Que devrions-nous savoir ? (facultatif)
Merci !
Plus d’options
Nouvelle conversation
Parler à un humain
Joindre des fichiers
Retirer {name}
{name} est trop volumineux. Au plus {size}.
{name} : ce type de fichier ne peut pas être envoyé.
Au plus {count} fichiers à la fois.
{name} n’a pas pu être envoyé.
{count} caractères de trop
Envoi…
Sera envoyé dès que possible
C’était rapide ! Nouvel essai dans {count} s.
Non envoyé
Charger les messages précédents
Aller au plus récent
Vous êtes hors ligne.
Reconnexion…
La discussion n’est pas disponible pour le moment.`),es:T(`Chat
Abrir el chat
Cerrar el chat
Mensajes nuevos: {count}
¿En qué puedo ayudarte?
Tú
Escribe un mensaje…
Enviar
Detener
Escribiendo…
En la cola…
Detenido
Reintentar
Editar
Cancelar
Copiar
Copiado
Buena respuesta
Mala respuesta
¿Qué deberíamos saber? (opcional)
¡Gracias!
Más opciones
Nueva conversación
Hablar con una persona
Adjuntar archivos
Quitar {name}
{name} es demasiado grande. Máximo: {size}.
{name}: no se pueden enviar archivos de este tipo.
Máximo {count} archivos a la vez.
No se pudo subir {name}.
Sobran {count} caracteres
Enviando…
Se enviará en cuanto sea posible
¡Qué rapidez! Se reenviará en {count} s.
No enviado
Cargar mensajes anteriores
Ir a lo más reciente
Sin conexión.
Reconectando…
El chat no está disponible en este momento.`),pt:T(`Chat
Abrir o chat
Fechar o chat
Novas mensagens: {count}
Como posso ajudar?
Você
Escreva uma mensagem…
Enviar
Parar
Escrevendo…
Na fila…
Interrompido
Tentar novamente
Editar
Cancelar
Copiar
Copiado
Boa resposta
Má resposta
O que devemos saber? (opcional)
Obrigado!
Mais opções
Nova conversa
Falar com uma pessoa
Anexar arquivos
Remover {name}
{name} é grande demais. No máximo {size}.
{name}: este tipo de arquivo não pode ser enviado.
No máximo {count} arquivos por vez.
Não foi possível enviar {name}.
{count} caracteres a mais
Enviando…
Será enviada assim que possível
Que rapidez! Novo envio em {count} s.
Não enviada
Carregar mensagens anteriores
Ir para a mais recente
Você está sem conexão.
Reconectando…
O chat não está disponível no momento.`),it:T(`Chat
Apri la chat
Chiudi la chat
Nuovi messaggi: {count}
Come posso aiutarti?
Tu
Scrivi un messaggio…
Invia
Ferma
Sta scrivendo…
In coda…
Interrotto
Riprova
Modifica
Annulla
Copia
Copiato
Buona risposta
Cattiva risposta
Che cosa dovremmo sapere? (facoltativo)
Grazie!
Altre opzioni
Nuova conversazione
Parla con una persona
Allega file
Rimuovi {name}
{name} è troppo grande. Al massimo {size}.
{name}: questo tipo di file non può essere inviato.
Al massimo {count} file alla volta.
Impossibile caricare {name}.
{count} caratteri di troppo
Invio…
Verrà inviato appena possibile
Che velocità! Nuovo invio tra {count} s.
Non inviato
Carica i messaggi precedenti
Vai al più recente
Sei offline.
Riconnessione…
La chat non è disponibile al momento.`),pl:T(`Czat
Otwórz czat
Zamknij czat
Nowe wiadomości: {count}
W czym mogę pomóc?
Ty
Napisz wiadomość…
Wyślij
Zatrzymaj
Pisze…
W kolejce…
Zatrzymano
Spróbuj ponownie
Edytuj
Anuluj
Kopiuj
Skopiowano
Dobra odpowiedź
Zła odpowiedź
Co powinniśmy wiedzieć? (opcjonalnie)
Dziękujemy!
Więcej opcji
Nowa rozmowa
Porozmawiaj z człowiekiem
Dołącz pliki
Usuń {name}
Plik {name} jest za duży. Najwyżej {size}.
{name}: plików tego typu nie można wysłać.
Liczba plików naraz: najwyżej {count}.
Nie udało się przesłać pliku {name}.
Za długie o {count} zn.
Wysyłanie…
Zostanie wysłana, gdy tylko się da
Szybko! Ponowna próba za {count} s.
Nie wysłano
Wczytaj wcześniejsze wiadomości
Przejdź do najnowszych
Jesteś offline.
Ponowne łączenie…
Czat jest teraz niedostępny.`),ru:T(`Чат
Открыть чат
Закрыть чат
Новые сообщения: {count}
Чем могу помочь?
Вы
Напишите сообщение…
Отправить
Остановить
Пишет…
В очереди…
Остановлено
Повторить
Изменить
Отмена
Копировать
Скопировано
Хороший ответ
Плохой ответ
Что нам стоит знать? (необязательно)
Спасибо!
Ещё
Новый разговор
Поговорить с человеком
Прикрепить файлы
Убрать {name}
Файл {name} слишком большой. Не больше {size}.
{name}: файлы этого типа отправить нельзя.
Не больше {count} файлов за раз.
Не удалось загрузить {name}.
Лишних символов: {count}
Отправляется…
Будет отправлено при первой возможности
Слишком быстро! Повторим через {count} с.
Не отправлено
Загрузить более ранние сообщения
К последним сообщениям
Нет сети.
Восстанавливаем соединение…
Чат сейчас недоступен.`),uk:T(`Чат
Відкрити чат
Закрити чат
Нові повідомлення: {count}
Чим можу допомогти?
Ви
Напишіть повідомлення…
Надіслати
Зупинити
Пише…
У черзі…
Зупинено
Спробувати ще раз
Змінити
Скасувати
Копіювати
Скопійовано
Гарна відповідь
Погана відповідь
Що нам варто знати? (необов’язково)
Дякуємо!
Більше
Нова розмова
Поговорити з людиною
Прикріпити файли
Прибрати {name}
Файл {name} завеликий. Щонайбільше {size}.
{name}: файли цього типу не можна надіслати.
Щонайбільше {count} файлів за раз.
Не вдалося завантажити {name}.
Зайвих символів: {count}
Надсилається…
Буде надіслано, щойно це стане можливо
Це було швидко! Повторимо за {count} с.
Не надіслано
Завантажити попередні повідомлення
До найновіших
Немає мережі.
Відновлюємо з’єднання…
Чат зараз недоступний.`),tr:T(`Sohbet
Sohbeti aç
Sohbeti kapat
Yeni mesajlar: {count}
Nasıl yardımcı olabilirim?
Siz
Bir mesaj yazın…
Gönder
Durdur
Yazıyor…
Sırada bekliyor…
Durduruldu
Yeniden dene
Düzenle
Vazgeç
Kopyala
Kopyalandı
İyi yanıt
Kötü yanıt
Neyi bilmeliyiz? (isteğe bağlı)
Teşekkürler!
Diğer seçenekler
Yeni konuşma
Bir insanla konuş
Dosya ekle
{name} dosyasını kaldır
{name} çok büyük. En fazla {size}.
{name}: bu türdeki dosyalar gönderilemez.
Bir seferde en fazla {count} dosya.
{name} yüklenemedi.
{count} karakter fazla
Gönderiliyor…
En kısa sürede gönderilecek
Çok hızlı! {count} sn sonra yeniden gönderilecek.
Gönderilemedi
Önceki mesajları yükle
En yeniye git
Çevrimdışısınız.
Yeniden bağlanıyor…
Sohbet şu anda kullanılamıyor.`),ar:T(`محادثة
فتح المحادثة
إغلاق المحادثة
رسائل جديدة: {count}
كيف يمكنني مساعدتك؟
أنت
اكتب رسالة…
إرسال
إيقاف
يكتب الآن…
في قائمة الانتظار…
توقّف
إعادة المحاولة
تعديل
إلغاء
نسخ
تم النسخ
إجابة جيدة
إجابة سيئة
ما الذي ينبغي أن نعرفه؟ (اختياري)
شكرًا لك!
خيارات أخرى
محادثة جديدة
التحدث إلى شخص
إرفاق ملفات
إزالة {name}
الملف {name} كبير جدًا. الحد الأقصى {size}.
{name}: لا يمكن إرسال ملفات من هذا النوع.
الحد الأقصى للملفات في المرة الواحدة: {count}.
تعذّر رفع {name}.
الأحرف الزائدة: {count}
جارٍ الإرسال…
ستُرسل في أقرب وقت ممكن
على مهلك! سنعيد الإرسال بعد {count} ث.
لم تُرسل
تحميل الرسائل السابقة
الانتقال إلى الأحدث
أنت غير متصل.
جارٍ إعادة الاتصال…
المحادثة غير متاحة حاليًا.`),he:T(`צ׳אט
פתיחת הצ׳אט
סגירת הצ׳אט
הודעות חדשות: {count}
איך אפשר לעזור?
את/ה
כתיבת הודעה…
שליחה
עצירה
בכתיבה…
בהמתנה בתור…
נעצר
ניסיון נוסף
עריכה
ביטול
העתקה
הועתק
תשובה טובה
תשובה לא טובה
מה כדאי שנדע? (לא חובה)
תודה!
אפשרויות נוספות
שיחה חדשה
לדבר עם נציג אנושי
צירוף קבצים
הסרת {name}
הקובץ {name} גדול מדי. עד {size}.
{name}: אי אפשר לשלוח קבצים מסוג זה.
עד {count} קבצים בכל פעם.
לא ניתן להעלות את {name}.
תווים מיותרים: {count}
בשליחה…
תישלח ברגע שיתאפשר
זה היה מהיר! שליחה חוזרת בעוד {count} שנ׳.
לא נשלחה
טעינת הודעות קודמות
מעבר להודעה האחרונה
אין חיבור לרשת.
מתחבר מחדש…
הצ׳אט אינו זמין כרגע.`),hi:T(`चैट
चैट खोलें
चैट बंद करें
नए संदेश: {count}
मैं आपकी क्या मदद करूँ?
आप
संदेश लिखें…
भेजें
रोकें
लिख रहा है…
कतार में…
रोका गया
फिर कोशिश करें
बदलें
रद्द करें
कॉपी करें
कॉपी हो गया
अच्छा जवाब
खराब जवाब
हमें क्या जानना चाहिए? (वैकल्पिक)
धन्यवाद!
और विकल्प
नई बातचीत
किसी व्यक्ति से बात करें
फ़ाइलें जोड़ें
{name} हटाएँ
{name} बहुत बड़ी है। अधिकतम {size}।
{name}: इस तरह की फ़ाइलें नहीं भेजी जा सकतीं।
एक बार में अधिकतम {count} फ़ाइलें।
{name} अपलोड नहीं हो सकी।
{count} अक्षर ज़्यादा हैं
भेजा जा रहा है…
जल्द से जल्द भेजा जाएगा
बहुत तेज़! {count} से. में फिर भेजा जाएगा।
नहीं भेजा गया
पुराने संदेश लाएँ
नवीनतम पर जाएँ
आप ऑफ़लाइन हैं।
फिर से जोड़ा जा रहा है…
चैट अभी उपलब्ध नहीं है।`),ja:T(`チャット
チャットを開く
チャットを閉じる
新着メッセージ: {count}件
どうされましたか？
あなた
メッセージを入力…
送信
停止
入力中…
順番待ち…
停止しました
もう一度
編集
キャンセル
コピー
コピーしました
良い回答
良くない回答
ご意見をお聞かせください（任意）
ありがとうございます！
その他
新しい会話
担当者と話す
ファイルを添付
{name}を取り消す
{name}は大きすぎます（最大{size}）。
{name}: この種類のファイルは送信できません。
一度に送れるファイルは{count}件までです。
{name}をアップロードできませんでした。
{count}文字超過
送信中…
可能になり次第送信します
少しお待ちください。{count}秒後に再送します。
未送信
以前のメッセージを読み込む
最新へ移動
オフラインです。
再接続中…
現在チャットをご利用いただけません。`),ko:T(`채팅
채팅 열기
채팅 닫기
새 메시지: {count}개
무엇을 도와드릴까요?
나
메시지를 입력하세요…
보내기
중지
입력 중…
대기 중…
중지됨
다시 시도
수정
취소
복사
복사됨
좋은 답변
아쉬운 답변
의견을 남겨 주세요 (선택)
감사합니다!
더보기
새 대화
상담원과 대화
파일 첨부
{name} 삭제
{name} 파일이 너무 큽니다. 최대 {size}.
{name}: 이 형식의 파일은 보낼 수 없습니다.
한 번에 파일 {count}개까지 보낼 수 있습니다.
{name} 파일을 업로드하지 못했습니다.
{count}자 초과
보내는 중…
가능해지면 바로 보냅니다
조금 빨라요! {count}초 후 다시 보냅니다.
전송되지 않음
이전 메시지 불러오기
최신 메시지로 이동
오프라인입니다.
다시 연결하는 중…
지금은 채팅을 이용할 수 없습니다.`),zh:T(`聊天
打开聊天
关闭聊天
新消息：{count}
有什么可以帮您？
您
输入消息…
发送
停止
正在输入…
排队中…
已停止
重试
编辑
取消
复制
已复制
回答得好
回答得不好
有什么想告诉我们的？（选填）
谢谢！
更多选项
新对话
联系人工客服
添加文件
移除 {name}
{name} 太大，最大为 {size}。
{name}：不能发送此类文件。
一次最多 {count} 个文件。
无法上传 {name}。
超出 {count} 个字符
正在发送…
将尽快发送
太快啦！{count} 秒后重新发送。
未发送
加载更早的消息
跳到最新
您已离线。
正在重新连接…
聊天暂时不可用。`),"zh-Hant":T(`聊天
開啟聊天
關閉聊天
新訊息：{count}
有什麼可以幫您？
您
輸入訊息…
傳送
停止
正在輸入…
排隊中…
已停止
重試
編輯
取消
複製
已複製
回答得好
回答得不好
有什麼想告訴我們的？（選填）
謝謝！
更多選項
新對話
聯絡真人客服
新增檔案
移除 {name}
{name} 太大，上限為 {size}。
{name}：無法傳送這類檔案。
一次最多 {count} 個檔案。
無法上傳 {name}。
超出 {count} 個字元
正在傳送…
將儘快傳送
太快了！{count} 秒後重新傳送。
未傳送
載入較早的訊息
跳到最新
您已離線。
正在重新連線…
聊天暫時無法使用。`),vi:T(`Trò chuyện
Mở trò chuyện
Đóng trò chuyện
Tin nhắn mới: {count}
Tôi có thể giúp gì cho bạn?
Bạn
Nhập tin nhắn…
Gửi
Dừng
Đang viết…
Đang chờ đến lượt…
Đã dừng
Thử lại
Sửa
Hủy
Sao chép
Đã sao chép
Trả lời tốt
Trả lời chưa tốt
Bạn muốn góp ý gì? (không bắt buộc)
Cảm ơn bạn!
Tùy chọn khác
Cuộc trò chuyện mới
Nói chuyện với nhân viên
Đính kèm tệp
Xóa {name}
{name} quá lớn. Tối đa {size}.
{name}: không thể gửi loại tệp này.
Tối đa {count} tệp mỗi lần.
Không thể tải lên {name}.
Thừa {count} ký tự
Đang gửi…
Sẽ gửi ngay khi có thể
Nhanh quá! Sẽ gửi lại sau {count} giây.
Chưa gửi được
Tải tin nhắn trước đó
Đến tin mới nhất
Bạn đang ngoại tuyến.
Đang kết nối lại…
Hiện không thể trò chuyện.`),id:T(`Obrolan
Buka obrolan
Tutup obrolan
Pesan baru: {count}
Ada yang bisa dibantu?
Anda
Tulis pesan…
Kirim
Hentikan
Sedang menulis…
Dalam antrean…
Dihentikan
Coba lagi
Ubah
Batal
Salin
Tersalin
Jawaban bagus
Jawaban kurang bagus
Apa yang perlu kami ketahui? (opsional)
Terima kasih!
Opsi lainnya
Percakapan baru
Bicara dengan petugas
Lampirkan file
Hapus {name}
{name} terlalu besar. Maksimal {size}.
{name}: file jenis ini tidak dapat dikirim.
Maksimal {count} file sekaligus.
{name} tidak dapat diunggah.
Kelebihan {count} karakter
Mengirim…
Akan dikirim secepatnya
Cepat sekali! Dikirim lagi dalam {count} dtk.
Tidak terkirim
Muat pesan sebelumnya
Ke yang terbaru
Anda sedang luring.
Menyambung kembali…
Obrolan tidak tersedia saat ini.`)},Xe=new Set([`ar`,`he`]),Ze=/^zh\b.*\b(hant|tw|hk|mo)\b/i,Qe={iw:`he`,in:`id`};function $e(e){let t=e[0]??`en`;for(let n of e){let e=nt(n),r=Ye[e];if(r)return{tag:t,language:e,direction:Xe.has(e)?`rtl`:`ltr`,messages:r}}return{tag:t,language:`en`,direction:`ltr`,messages:Je}}function et(e){return[...e&&e!==`auto`?[e]:[],...navigator.languages,document.documentElement.lang].filter(rt)}function E(e,t){return e.replace(/\{(\w+)\}/g,(e,n)=>String(t[n]??e))}function tt(e,t){let n=[`byte`,`kilobyte`,`megabyte`,`gigabyte`],r=0,i=e;for(;i>=1024&&r<n.length-1;)i/=1024,r+=1;return new Intl.NumberFormat(t,{style:`unit`,unit:n[r]??`byte`,unitDisplay:`short`,maximumFractionDigits:+(i<10)}).format(i)}function nt(e){if(Ze.test(e))return`zh-Hant`;let t=e.toLowerCase().split(/[-_]/,1)[0]??``;return Qe[t]??t}function rt(e){try{return Intl.getCanonicalLocales(e).length>0}catch{return!1}}var it=[`data-title`,`data-accent`,`data-locale`,`data-position`,`data-greeting`,`data-theme`];function at(e,t,n){let r=n=>t[n]??e[n]??``;return{server:n,title:r(`title`),accent:r(`accent`),locale:r(`locale`)||`auto`,position:r(`position`),greeting:r(`greeting`),theme:r(`theme`)||`auto`,open:(t.open??e.open??`false`)!==`false`,launcher:r(`launcher`)!==`off`}}function ot(e,t=``){let n=new URL(t?t.replace(/\/*$/,`/`):e,document.baseURI);return n.origin+n.pathname.slice(0,n.pathname.lastIndexOf(`/`)+1)}function D(e,t={},...n){let r=document.createElement(e);for(let[e,n]of Object.entries(t))typeof n==`function`?r.addEventListener(e,n):O(r,e,n);return r.append(...n.filter(e=>!!e)),r}function O(e,t,n){if(n==null||n===!1)return e.removeAttribute(t);let r=n===!0?``:String(n);e.getAttribute(t)!==r&&(e.setAttribute(t,r),t===`part`&&e.setAttribute(`data-part`,r))}function k(e,t){e.textContent!==t&&(e.textContent=t)}function A(e){let t=new CSSStyleSheet;return t.replaceSync(e),t}var st=class{#e=D(`div`,{role:`status`,"aria-live":`polite`,"aria-atomic":`true`});#t=D(`div`,{role:`alert`,"aria-live":`assertive`,"aria-atomic":`true`});element=D(`div`,{class:`unseen`,part:`announcer`},this.#e,this.#t);polite(e){ct(this.#e,e)}urgent(e){ct(this.#t,e)}};function ct(e,t){e.replaceChildren(D(`p`,{},t))}var lt={chat:`M4.5 18.5 3.5 21.5l4-1.3A9 9 0 1 0 4.5 18.5Z`,down:`m6 9.5 6 6 6-6`,close:`M6 6l12 12M18 6 6 18`,send:`M12 19.5v-15M5.5 11 12 4.5l6.5 6.5`,stop:`M7 8a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1z`,attach:`m20.5 11.5-8.3 8.3a5.4 5.4 0 0 1-7.6-7.6l8.6-8.6a3.6 3.6 0 0 1 5.1 5.1l-8.6 8.6a1.8 1.8 0 0 1-2.6-2.6l7.9-7.8`,menu:`M12 5.5v.01M12 12v.01M12 18.5v.01`,copy:`M9 9h11v11H9zM5 15H4V4h11v1`,check:`m5 12.5 4.5 4.5L19 7.5`,retry:`M20 12a8 8 0 1 1-2.4-5.7L20 8.5M20 3.5v5h-5`,edit:`m4 20 .9-4.2L16.2 4.5a2.3 2.3 0 0 1 3.3 3.3L8.2 19.1 4 20Z`,good:`M7.5 10.5v9.5M7.5 10.5l3.8-7c1.5 0 2.6 1.1 2.6 2.6l-.7 3.4h5.1a2.2 2.2 0 0 1 2.2 2.6l-1.1 6a2.2 2.2 0 0 1-2.2 1.9H4.2a.7.7 0 0 1-.7-.7v-8.1a.7.7 0 0 1 .7-.7z`,bad:`M16.5 13.5V4M16.5 13.5l-3.8 7c-1.5 0-2.6-1.1-2.6-2.6l.7-3.4H5.7a2.2 2.2 0 0 1-2.2-2.6l1.1-6A2.2 2.2 0 0 1 6.8 4h13a.7.7 0 0 1 .7.7v8.1a.7.7 0 0 1-.7.7z`,file:`M13.5 3.5H6.5v17h11v-13zM13.5 3.5v4h4`,person:`M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0`,plus:`M12 5v14M5 12h14`,alert:`M12 7.5v5.5M12 16.5v.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z`,spark:`M12 3.5c.7 4.9 3.1 7.4 8.5 8.5-5.4 1.1-7.8 3.6-8.5 8.5-.7-4.9-3.1-7.4-8.5-8.5 5.4-1.1 7.8-3.6 8.5-8.5Z`},ut=`http://www.w3.org/2000/svg`;function j(e){let t=document.createElementNS(ut,`svg`);t.setAttribute(`viewBox`,`0 0 24 24`),t.setAttribute(`aria-hidden`,`true`),t.setAttribute(`class`,`icon icon-${e}`);let n=document.createElementNS(ut,`path`);return n.setAttribute(`d`,lt[e]),t.append(n),t}var dt=class{locale;#e=D(`span`,{class:`badge`,part:`badge`,"aria-hidden":`true`,hidden:!0});element;constructor(e,t){this.locale=e,this.element=D(`button`,{type:`button`,class:`launcher`,part:`launcher`,"aria-haspopup":`dialog`,"aria-expanded":`false`,click:t},j(`chat`),j(`down`),this.#e),this.update(!1,0)}update(e,t,n=``){let{messages:r}=this.locale,i=t>0&&!e,a=e?r.close:r.open;O(this.element,`aria-expanded`,String(e)),O(this.element,`aria-controls`,n||null),O(this.element,`aria-label`,i?`${a}. ${E(r.unread,{count:t})}`:a),O(this.#e,`hidden`,!i),k(this.#e,t>9?`9+`:String(t))}};async function ft(e){try{return await navigator.clipboard.writeText(e),!0}catch{return pt(e)}}function pt(e){let t=t=>{t.clipboardData?.setData(`text/plain`,e),t.preventDefault(),t.stopImmediatePropagation()};document.addEventListener(`copy`,t,!0);try{return document.execCommand(`copy`)}finally{document.removeEventListener(`copy`,t,!0)}}function mt(e){return[...e?.files??[]]}var M=[];function N(e){let t=v(e),n=e.outgoing.filter(e=>e.shown),r=ht(e.messages,e.outgoing),i=!t&&e.outgoing.length===0,a=i?gt(r):null,o=[];for(let t of r)if(t.role===`user`)o.push(vt(t,t.id===a?.id));else if(t.text||t.files?.length||t.buttons?.length){let n=e.rated.get(t.id)??e.ratings.get(t.id)??null;o.push({kind:`reply`,key:e.keys.get(t.id)??t.id,id:t.id,text:t.text??``,files:t.files??M,buttons:t.buttons??M,suggestions:M,at:t.at,live:!1,stopped:t.stopped??!1,feedback:t.feedback??!1,rating:n,retryable:!1,last:!1})}_t(o,r,i,a!==null);for(let e of n)o.push(yt(e));for(let t of e.drafts)t.text&&o.push(bt(t.key,t.text));let s=e.drafts.some(e=>e.text);return{rows:xt(o),last:a,busy:t,waiting:!t||s?``:e.status?.state===`queued`?`queued`:`typing`,replyTo:e.status?.reply_to??e.drafts[0]?.replyTo??``,more:e.more}}function ht(e,t){let n=new Set(t.flatMap(({replaces:t})=>Te({replaces:t},e)));return n.size?e.filter(e=>!n.has(e.id)):e}function gt(e){let t=e.findLast(e=>e.role===`user`);return t?.role===`user`&&(t.kind??`message`)===`message`?t:null}function _t(e,t,n,r){let i=e.at(-1);if(!i||i.kind===`day`||(i.retryable=r,i.kind!==`reply`))return;i.last=!0;let a=t.at(-1);n&&a?.role===`assistant`&&a.suggestions&&(i.suggestions=a.suggestions)}function vt(e,t){return{kind:`user`,key:e.id,id:e.id,text:e.text??``,files:e.files??M,at:e.at,command:e.kind===`command`,state:`sent`,reason:``,editable:t,retryable:!1}}function yt(e){return{kind:`user`,key:e.id,id:e.id,text:e.text,files:e.files,at:e.at,command:e.kind===`command`,state:e.state,reason:e.reason,editable:!1,retryable:!1}}function bt(e,t){return{kind:`reply`,key:e,id:``,text:t,files:M,buttons:M,suggestions:M,at:0,live:!0,stopped:!1,feedback:!1,rating:null,retryable:!1,last:!0}}function xt(e){let t=[],n=``;for(let r of e){if(r.at>0){let e=new Date(r.at*1e3).toDateString();e!==n&&t.push({kind:`day`,key:e,at:r.at}),n=e}t.push(r)}return t}var St=class{context;object;changed;element=D(`div`,{class:`tray`,part:`tray`,hidden:!0});#e=new Map;constructor(e,t,n){this.context=e,this.object=t,this.changed=n}get attachments(){return[...this.#e.keys()].filter(e=>e.state!==`failed`)}get empty(){return this.#e.size===0}get uploading(){return[...this.#e.keys()].some(e=>e.state===`uploading`)}async add(e){let{limits:t}=await this.context.conversation.begin();for(let n of e){let e=ke(n,t,this.#e.size);e?this.object(this.#i(e)):this.#t(De(n))}}show(e){this.clear();let t=this.context.conversation.session?.session??``;for(let n of e)this.#n(Oe(n,t))}clear(){this.#e.clear(),this.#r()}async#t(e){this.#n(e);try{await this.context.conversation.upload(e),e.state=`ready`}catch(t){e.state=`failed`;let n=Ae(e.name,t);this.#e.has(e)&&this.object(n?this.#i(n):t.message)}this.#e.has(e)&&(e.state===`failed`?this.#e.delete(e):this.#e.get(e)?.classList.remove(`uploading`),this.#r())}#n(e){let{messages:t,language:n}=this.context.locale,r=D(`button`,{type:`button`,class:`tool`,part:`remove`,"aria-label":E(t.remove,{name:e.name}),click:()=>{this.#e.delete(e),this.#r()}},j(`close`)),i=D(`div`,{class:`item ${e.state}`,part:`attachment`},D(`span`,{class:`thumb`},j(`file`)),D(`span`,{class:`name`,title:e.name},e.name),D(`span`,{class:`size`},tt(e.size,n)),r);e.file&&Ct(e.file,i.querySelector(`.thumb`)),this.#e.set(e,i),this.#r()}#r(){this.element.replaceChildren(...this.#e.values()),this.element.hidden=this.empty,this.changed()}#i({key:e,name:t,limit:n}){let{messages:r,language:i}=this.context.locale;return E(r[e],{name:t,count:n,size:tt(n,i)})}},P=80;async function Ct(e,t){if(t&&/^image\/(?!svg)/.test(e.type))try{let n=await createImageBitmap(e),r=Math.min(n.width,n.height),i=D(`canvas`,{width:P,height:P,"aria-hidden":`true`}),[a,o]=[(n.width-r)/2,(n.height-r)/2];i.getContext(`2d`)?.drawImage(n,a,o,r,r,0,0,P,P),n.close(),t.replaceChildren(i)}catch{}}var wt=168,F=500,Tt=8e3,Et=class{context;#e;#t;#n;#r;#i;#a=D(`span`,{class:`counter`,part:`counter`,hidden:!0});#o=D(`p`,{class:`objection`,part:`objection`,hidden:!0});#s;#c;element;#l=null;#u=null;#d;#f=``;#p;constructor(e){this.context=e;let{messages:t}=e.locale;this.#d=e.conversation.person,this.#c=new St(e,e=>this.#E(e),()=>this.#T()),this.#e=D(`textarea`,{rows:1,part:`composer`,dir:e.locale.direction,placeholder:t.placeholder,"aria-label":t.placeholder,enterkeyhint:`send`,autocomplete:`off`,input:()=>this.#_(),keydown:e=>this.#v(e),paste:e=>this.#y(e)}),this.#i=D(`input`,{type:`file`,multiple:!0,hidden:!0,part:`picker`,change:()=>this.#b()}),this.#r=this.#h(`attach`,t.attach,`attach`,()=>this.#i.click()),this.#t=D(`button`,{type:`submit`,class:`round`,part:`send`,title:t.send,"aria-label":t.send},j(`send`)),this.#n=this.#h(`stop`,t.stop,`stop`,()=>this.#w()),this.#n.classList.add(`round`);let n=D(`button`,{type:`button`,class:`small`,part:`cancel`,click:()=>this.cancel()},t.cancel);this.#s=D(`div`,{class:`editing`,part:`editing`,hidden:!0},j(`edit`),D(`span`,{},t.edit),n),this.element=D(`form`,{class:`composer`,submit:e=>this.#C(e)},this.#o,D(`div`,{class:`frame`},this.#s,this.#c.element,this.#i,D(`div`,{class:`line`},this.#r,this.#e,this.#a,this.#n,this.#t)))}focus(){this.#e.focus({preventScroll:!0})}update(e){let t=this.context.conversation.limits;this.#u=e,this.#m(),this.#r.hidden=!t?.files||t.file_types.length===0,t&&O(this.#i,`accept`,t.file_types.join(`,`)),this.#l&&e.last?.id!==this.#l.id&&!e.busy&&this.cancel(),this.#T()}edit(e){this.#l=e,this.#s.hidden=!1,this.#c.show(e.files??[]),this.#g(e.text??``),this.focus()}cancel(){return this.#l?(this.#l=null,this.#s.hidden=!0,this.#c.clear(),this.#g(``),!0):!1}take(e){this.#r.hidden||e.length===0||(this.#c.add(e).catch(e=>this.context.conversation.report(e)),this.focus())}get takesFiles(){return!this.#r.hidden}#m(){let{person:e}=this.context.conversation;e!==this.#d&&(this.#d=e,this.#l=null,this.#s.hidden=!0,this.#c.clear(),this.#g(``),this.#E(``),this.context.announcer.polite(``))}#h(e,t,n,r){return D(`button`,{type:`button`,class:`tool`,part:n,title:t,"aria-label":t,click:r},j(e))}#g(e){this.#e.value=e,this.#_()}#_(){let{style:e}=this.#e;this.#e.dir=this.#e.value?`auto`:this.context.locale.direction,e.setProperty(`height`,`auto`),e.setProperty(`height`,`${Math.min(this.#e.scrollHeight,wt)}px`),this.#T()}#v(e){e.isComposing||e.keyCode===229||(e.key===`Enter`&&!e.shiftKey?(e.preventDefault(),this.element.requestSubmit()):e.key===`Escape`&&this.cancel()&&e.stopPropagation())}#y(e){let t=mt(e.clipboardData);t.length!==0&&(e.preventDefault(),this.take(t))}#b(){this.take([...this.#i.files??[]]),this.#i.value=``}get#x(){return(this.#e.value.trim()!==``||!this.#c.empty)&&!this.#c.uploading&&this.#S>=0}get#S(){let e=this.context.conversation.limits?.text??1/0,{value:t}=this.#e;return e-(t.length>e-F?[...t.trim()].length:t.length)}#C(e){if(e.preventDefault(),this.#m(),this.#S<0&&this.#E(E(this.context.locale.messages.tooLong,{count:-this.#S})),!this.#x)return;let t=this.#e.value.trim(),n=this.#c.attachments,r=this.#l?.id??``;this.#l=null,this.#s.hidden=!0,this.#c.clear(),this.#g(``),this.#E(``),this.context.conversation.send({text:t,attachments:n,replaces:r}),this.focus()}#w(){let e=this.#u?.replyTo;this.focus(),e&&(this.#f=e,this.#T(),this.context.conversation.stop(e).then(e=>{e||(this.#f=``),this.#T()}))}#T(){let e=this.#e.value.trim()===``&&this.#c.empty,t=!!(this.#u?.busy&&this.#u.replyTo)&&e;this.#n.hidden=!t,this.#n.disabled=this.#f===this.#u?.replyTo,this.#t.hidden=t,O(this.#t,`aria-disabled`,String(!this.#x));let n=this.#S;this.#a.hidden=n>F,this.#a.classList.toggle(`over`,n<0),k(this.#a,n>F?``:String(n))}#E(e){clearTimeout(this.#p);let t=e&&!this.#o.hidden?`${this.#o.textContent}\n`:``;this.#o.hidden=e===``,k(this.#o,t+e),e&&(this.context.announcer.urgent(e),this.#p=setTimeout(()=>this.#E(``),Tt))}},Dt=class{context;#e;#t=D(`div`,{class:`choices`,part:`choices`,role:`menu`,hidden:!0});#n;#r;element;constructor(e){this.context=e;let{messages:t}=e.locale;this.#e=D(`button`,{type:`button`,class:`tool`,part:`menu`,title:t.menu,"aria-label":t.menu,"aria-haspopup":`menu`,"aria-expanded":`false`,click:()=>this.#t.hidden?this.#i():this.close()},j(`menu`)),this.#n=this.#o(`restart`,`plus`,t.restart,`reset`),this.#r=this.#o(`human`,`person`,t.human,`human`),O(this.#t,`aria-label`,t.menu),this.#t.append(this.#n,this.#r),this.element=D(`div`,{class:`menu`,keydown:e=>this.#s(e)},this.#e,this.#t),this.element.addEventListener(`focusout`,e=>{e.relatedTarget&&!this.element.contains(e.relatedTarget)&&this.close(!1)})}update(){let e=this.context.conversation.session?.bot;this.#n.hidden=!e?.commands.some(e=>e.name===`reset`),this.#r.hidden=!e?.human,this.element.hidden=this.#n.hidden&&this.#r.hidden}touched(e){!this.#t.hidden&&!this.element.contains(e)&&this.close(!1)}close(e=!0){this.#t.hidden||(this.#t.hidden=!0,O(this.#e,`aria-expanded`,`false`),e&&this.#e.focus({preventScroll:!0}))}#i(){this.#t.hidden=!1,O(this.#e,`aria-expanded`,`true`),this.#a[0]?.focus({preventScroll:!0})}get#a(){return[this.#n,this.#r].filter(e=>!e.hidden)}#o(e,t,n,r){return D(`button`,{type:`button`,class:`choice`,role:`menuitem`,tabindex:-1,part:e,click:()=>{this.close(),this.context.conversation.send({kind:`command`,text:`/${r}`,name:r,shown:r!==`reset`})}},j(t),n)}#s(e){if(this.#t.hidden)return;let t=this.#a,n=t.findIndex(e=>e.matches(`:focus`)),r={ArrowDown:n+1,ArrowUp:n-1,Home:0,End:t.length-1}[e.key];if(r!==void 0)t[(r+t.length)%t.length]?.focus();else if(e.key===`Escape`)this.close();else return;e.preventDefault(),e.stopPropagation()}},I=/^[ \t]*$/,Ot=/^( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$/,kt=/^ {0,3}(#{1,6})(?![^ \t])(.*)$/,L=/^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/,At=/^ {0,3}(=+|-+)[ \t]*$/,R=/^ {0,3}> ?/,jt=/^( *)([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*))?$/,Mt=/^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$/,Nt=/^\[([ xX])\] (?=.*\S)/,Pt=12;function z(e){let t=e.split(`
`).map(e=>e.endsWith(`\r`)?e.slice(0,-1):e);return B(t.map(Jt),0,t)}function B(e,t,n=e){let r=[],i=0;for(;i<e.length;){let a=e[i]??``;if(I.test(a)){i+=1;continue}let[o,s]=Ft(e,i,t,n);r.push(o),i=s}return r}function Ft(e,t,n,r){let i=e[t]??``,a=Ot.exec(i);if(a)return Lt(a[1]?e:r,t,a);if(W(i)>=4)return Rt(e,t);let o=kt.exec(i);if(o)return[{line:t,type:`heading`,level:o[1]?.length??1,text:It(o[2])},t+1];if(L.test(i))return[{line:t,type:`rule`},t+1];if(n<Pt){if(R.test(i))return zt(e,t,n);if(jt.test(i))return Bt(e,t,n)}return Kt(e,t)?Ut(e,t):Wt(e,t)}function It(e=``){let t=e.trim(),n=t.length;for(;t[n-1]===`#`;)--n;return n===0||/[ \t]/.test(t[n-1]??``)?t.slice(0,n).trimEnd():t}function Lt(e,t,n){let[,r=``,i=``,a=``]=n,o=RegExp(`^ {0,3}${i[0]}{${i.length},}[ \\t]*$`),s=[],c=t+1;for(;c<e.length&&!o.test(e[c]??``);)s.push(G(e[c]??``,r.length)),c+=1;return[{line:t,type:`code`,language:a.trim().split(/[\s{,]/,1)[0]??``,text:s.join(`
`)},c+1]}function Rt(e,t){let n=[],r=t;for(;r<e.length&&(W(e[r]??``)>=4||I.test(e[r]??``));)n.push(G(e[r]??``,4)),r+=1;return[{line:t,type:`code`,language:``,text:n.join(`
`).trimEnd()},r]}function zt(e,t,n){let r=[],i=t,a=!1;for(;i<e.length;){let t=e[i]??``;if(R.test(t))r.push(t.replace(R,``)),a=V(r,r.length-1);else if(a&&V(e,i))r.push(t);else break;i+=1}return[{line:t,type:`quote`,blocks:B(r,n+1)},i]}function Bt(e,t,n){let r=U(e[t]??``),i=[],a=t;for(;a<e.length;){let t=U(e[a]??``);if(!t||t.sign!==r?.sign||t.indent>3||L.test(e[a]??``))break;let[o,s]=Ht(e,a,t);i.push(Vt(o,n)),a=s}let o=r!==null&&r.number>=0;return[{line:t,type:`list`,ordered:o,start:o?r.number:1,items:i},a]}function Vt(e,t){let n=Nt.exec(e[0]??``);return n&&(e[0]=(e[0]??``).slice(4)),{done:n?n[1]!==` `:null,blocks:B(e,t+1)}}function Ht(e,t,n){let r=n.margin,i=[n.rest],a=t+1;for(;a<e.length;){let t=e[a]??``,o=W(t);if(I.test(t)){if(i.length===1&&n.rest===``)break;i.push(``)}else if(o>=r)i.push(G(t,r));else if(o>=n.indent+2&&U(t))r=o,i.push(G(t,r));else if(i.at(-1)!==``&&!U(t)&&V(e,a))i.push(t.trimStart());else break;a+=1}return[i,a]}function Ut(e,t){let n=H(e[t]??``),r=H(e[t+1]??``).map(qt),i=[],a=t+2;for(;a<e.length&&!I.test(e[a]??``)&&!Gt(e,a);){let t=H(e[a]??``);i.push(n.map((e,n)=>t[n]??``)),a+=1}return[{line:t,type:`table`,align:r,head:n,rows:i},a]}function Wt(e,t){let n=[(e[t]??``).trimStart()],r=t+1;for(;r<e.length;){let i=e[r]??``,a=At.exec(i);if(a)return[{line:t,type:`heading`,level:a[1]?.startsWith(`=`)?1:2,text:n.join(`
`).trimEnd()},r+1];if(!V(e,r)||Kt(e,r))break;n.push(i.trimStart()),r+=1}return[{line:t,type:`paragraph`,text:n.join(`
`).trimEnd()},r]}function V(e,t){return!I.test(e[t]??``)&&!Gt(e,t)}function Gt(e,t){let n=e[t]??``;if(W(n)>=4)return!1;if(Ot.test(n)||kt.test(n)||L.test(n)||R.test(n))return!0;let r=U(n);return r!==null&&r.rest!==``&&(r.number===1||r.number===-1)}function Kt(e,t){let n=e[t]??``,r=e[t+1]??``;return n.includes(`|`)&&/[|:]/.test(r)&&Mt.test(r.trim())&&H(n).length===H(r).length}function H(e){return e.trim().replace(/^\|/,``).replace(/(^|[^\\])\|$/,`$1`).split(/(?<!\\)\|/).map(e=>e.trim().replace(/\\\|/g,`|`))}function qt(e){let t=e.startsWith(`:`),n=e.endsWith(`:`);return t&&n?`center`:n?`right`:t?`left`:``}function U(e){let t=jt.exec(e);if(!t)return null;let[,n=``,r=``,i=``,a=``]=t,o=/\d/.test(r)?parseInt(r,10):-1,s=i.length>4||i.includes(`	`)||a===``;return{indent:n.length,sign:r.at(-1)??``,number:o,margin:n.length+r.length+(s?1:i.length),rest:s&&i?i.slice(1)+a:a}}function W(e){return e.length-e.trimStart().length}function G(e,t){return e.slice(Math.min(t,W(e)))}function Jt(e){let t=/^[ \t]*/.exec(e)?.[0]??``;if(!t.includes(`	`))return e;let n=``;for(let e of t)n+=e===`	`?` `.repeat(4-n.length%4):` `;return n+e.slice(t.length)}var Yt=new Set([`http:`,`https:`,`mailto:`,`tel:`]);function K(e,t=document.baseURI){try{let n=new URL(e,t);return Yt.has(n.protocol)?n.href:null}catch{return null}}var Xt={amp:`&`,lt:`<`,gt:`>`,quot:`"`,apos:`'`,nbsp:`\xA0`,copy:`©`,reg:`®`,trade:`™`,deg:`°`,times:`×`,middot:`·`,bull:`•`,hellip:`…`,ndash:`–`,mdash:`—`,lsquo:`‘`,rsquo:`’`,ldquo:`“`,rdquo:`”`,larr:`←`,rarr:`→`,euro:`€`,pound:`£`,shy:`­`},Zt=/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,6}));/gi;function Qt(e){return e.replace(Zt,(e,t,n,r)=>{if(r!==void 0)return Xt[r]??e;let i=t===void 0?Number(n):parseInt(t,16);return i>0&&i<=1114111&&(i<55296||i>57343)?String.fromCodePoint(i):`�`})}var $t=/[!-/:-@[-`{-~]/,en=/^<br\s*\/?>/i,tn=/^<((?:https?|mailto|tel):[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d-]+(?:\.[a-z\d-]+)+)>/i,nn=/^(?:https?:\/\/|www\.)[^\s<>[\]|`"]+/i,rn=/[\\`*_~[\]!<&\n]|https?:\/\/|www\./gi,an=2048,on=8,sn=4;function cn(e,t=!1){let n=e.length;for(;t&&"*_~`[".includes(e[n-1]??` `);)--n;return new ln(e.slice(0,n),t).run()}var ln=class{text;live;#e=[];#t=[];#n=new Set;#r=0;constructor(e,t){this.text=e,this.live=t}run(){let{text:e}=this;for(;this.#r<e.length;){rn.lastIndex=this.#r;let t=rn.exec(e),n=t?t.index:e.length;n>this.#r&&this.#e.push(e.slice(this.#r,n)),this.#r=n,t&&this.#i(t[0])}return this.#_(0)}#i(e){let{text:t}=this,n=t.slice(this.#r,this.#r+an);switch(e[0]){case`\\`:return this.#o();case"`":return this.#s();case`*`:case`_`:case`~`:return this.#c(e);case`[`:return this.#l(1);case`!`:return t[this.#r+1]===`[`?this.#l(2):this.#a(1);case`]`:return this.#u();case`<`:return this.#f(n);case`&`:return this.#p(n);case`
`:return this.#m();default:return this.#g(n,e)}}#a(e){this.#e.push(this.text.slice(this.#r,this.#r+e)),this.#r+=e}#o(){let e=this.text[this.#r+1]??``;if(e===`
`)return this.#h(2);if(!$t.test(e))return this.#a(1);this.#e.push(e),this.#r+=2}#s(){let{text:e}=this,t=/^`+/.exec(e.slice(this.#r))?.[0]??"`",n=this.#r+t.length,r=this.#n.has(t.length)?-1:gn(e,n,t);if(r<0&&this.#n.add(t.length),r<0&&this.live&&(r=e.length),r<0)return this.#a(t.length);let i=e.slice(n,r).replace(/\n/g,` `);/^ .*\S.* $/.test(i)&&(i=i.slice(1,-1)),this.#e.push({tag:`code`,children:i?[i]:[]}),this.#r=Math.min(r+t.length,e.length)}#c(e){let{text:t}=this,n=this.#r;for(;t[n]===e;)n+=1;let r=n-this.#r,i=t[this.#r-1]??` `,a=t[n]??` `,o=!/\s/.test(a)&&(!J(a)||/\s/.test(i)||J(i)),s=!/\s/.test(i)&&(!J(i)||/\s/.test(a)||J(a));if(e===`~`&&r!==2)return this.#a(r);this.#e.push({mark:e,count:r,opens:o&&(e!==`_`||!s||J(i)),closes:s&&(e!==`_`||!o||J(a))}),this.#r=n}#l(e){this.#t.push({at:this.#e.length,image:e===2,active:!0}),this.#a(e)}#u(){let e=this.#t.pop(),t=e?.active?this.#d(this.#r+1):null;if(!e||!t)return this.#a(1);let n=this.#_(e.at+1);this.#e.length=e.at,this.#r=t.end;let r=t.address===null?null:K(t.address),i=n.length||!r?n:[r];if(r?this.#e.push({tag:`a`,href:r,children:mn(i)}):this.#e.push(...i),!e.image)for(let e of this.#t)e.image||(e.active=!1)}#d(e){let{text:t}=this;if(t[e]!==`(`)return null;let n=t.slice(e,e+an),r=/^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))(?:\s+(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?\s*\)/.exec(n);return r?{address:Qt(r[1]??r[2]??``).replace(/\\([!-/:-@[-`{-~])/g,`$1`),end:e+r[0].length}:this.live&&e+n.length===t.length&&!/[\n)]/.test(n)?{address:null,end:t.length}:null}#f(e){let t=en.exec(e);if(t)return this.#h(t[0].length);let n=tn.exec(e),r=n?.[1]??``,i=n?K(/^[a-z]+:/i.test(r)?r:`mailto:${r}`):null;if(!n||!i)return this.#a(1);this.#e.push({tag:`a`,href:i,children:[r]}),this.#r+=n[0].length}#p(e){let t=/^&[#\w]{2,8};/.exec(e)?.[0]??`&`;this.#e.push(Qt(t)),this.#r+=t.length}#m(){let e=this.#e.at(-1);typeof e==`string`&&(this.#e[this.#e.length-1]=e.trimEnd()),this.#h(1)}#h(e){this.#e.push({tag:`br`,children:[]}),this.#r+=e}#g(e,t){let n=this.text[this.#r-1]??` `,r=/[\w@/.-]/.test(n)?``:nn.exec(e)?.[0]??``;r=_n(r);let i=r.toLowerCase().startsWith(`www.`)?`https://${r}`:r,a=r.length>t.length?K(i):null;if(!a)return this.#a(t.length);this.#e.push({tag:`a`,href:a,children:[r]}),this.#r+=r.length}#_(e){return un(this.#e.splice(e),this.live&&e===0)}};function un(e,t){let n=new Map,r=0;for(;r<e.length;){let t=e[r];if(!q(t)||!t.closes){r+=1;continue}let i=`${t.mark}${t.opens}${t.count%3}`,a=dn(e,r,t,n.get(i)??0);if(a<0)n.set(i,r),r+=1;else{r=fn(e,a,r);for(let[e,t]of n)n.set(e,Math.min(t,a))}}return t&&pn(e),hn(e)}function dn(e,t,n,r){for(let i=t-1;i>=r;--i){let t=e[i];if(q(t)&&t.opens&&t.mark===n.mark&&(!t.closes&&!n.opens||(t.count+n.count)%3!=0||t.count%3==0&&n.count%3==0))return i}return-1}function fn(e,t,n){let r=e[t],i=e[n],a=r.mark===`~`||r.count>=2&&i.count>=2?2:1,o=r.mark===`~`?`del`:a===2?`strong`:`em`,s=hn(e.slice(t+1,n)),c=s.reduce((e,t)=>typeof t==`string`?e:Math.max(e,t.depth??0),0)+1,l=c>on?s:[{tag:o,children:s,depth:c}],u=r.count>a?[{...r,count:r.count-a}]:[],d=i.count>a?[{...i,count:i.count-a}]:[];return e.splice(t,n-t+1,...u,...l,...d),t+u.length+l.length}function pn(e){let t=0;for(let n=e.length-2;n>=0&&t<sn;--n){let r=e[n];q(r)&&r.opens&&!r.closes&&(t+=1,e.push({...r,opens:!1,closes:!0}),fn(e,n,e.length-1),q(e.at(-1))&&e.pop(),q(e[n])&&(n+=1))}}function mn(e){return e.flatMap(e=>{if(typeof e==`string`)return[e];let t=mn(e.children);return e.tag===`a`?t:[{...e,children:t}]})}function hn(e){let t=[];for(let n of e){let e=q(n)?n.mark.repeat(n.count):n,r=t.at(-1);typeof e==`string`&&typeof r==`string`?t[t.length-1]=r+e:e!==``&&t.push(e)}return t}function q(e){return typeof e==`object`&&`mark`in e}function J(e){return/[\p{P}\p{S}]/u.test(e)}function gn(e,t,n){for(let r of e.slice(t).matchAll(/`+/g))if(r[0].length===n.length)return t+r.index;return-1}function _n(e){let t=e;for(;;){let e=t.replace(/[?!.,:*_~'"“”‘’;]+$/,``).replace(/&[a-z\d]+;$/i,``),n=e.endsWith(`)`)&&e.split(`)`).length>e.split(`(`).length?e.slice(0,-1):e;if(n===t)return t;t=n}}var vn=[`p`,`h3`,`blockquote`,`ul`,`ol`,`li`,`hr`,`div`,`pre`,`code`,`span`,`button`,`table`,`thead`,`tbody`,`tr`,`th`,`td`,`strong`,`em`,`del`,`a`,`br`],yn=[`class`,`href`,`target`,`rel`,`start`,`type`,`part`,`data-part`,`tabindex`,`dir`,`scope`],bn=new Set(vn),xn=new Set(yn),Y={};function X(e,t,n){return e.map((r,i)=>Sn(r,t,n&&i===e.length-1))}function Sn(e,t,n){switch(e.type){case`paragraph`:return Q(`p`,Y,Z(e.text,n));case`heading`:return Q(`h3`,{class:`level-${e.level}`},Z(e.text,n));case`rule`:return Q(`hr`,Y,[]);case`quote`:return Q(`blockquote`,Y,X(e.blocks,t,n));case`code`:return wn(e.language,e.text,t);case`list`:{let r=e.ordered&&e.start!==1?{start:String(e.start)}:Y,i=e.items.map((r,i)=>Cn(r,t,n&&i===e.items.length-1));return Q(e.ordered?`ol`:`ul`,r,i)}case`table`:{let t=(t,n,r)=>{let i=e.align[r],a=t===`th`?{scope:`col`}:Y;return Q(t,i?{...a,class:i}:a,Z(n,!1))},n=Q(`tr`,Y,e.head.map((e,n)=>t(`th`,e,n))),r=e.rows.map(e=>Q(`tr`,Y,e.map((e,n)=>t(`td`,e,n))));return Q(`div`,{class:`table`,tabindex:`0`},[Q(`table`,Y,[Q(`thead`,Y,[n]),Q(`tbody`,Y,r)])])}}}function Cn({done:e,blocks:t},n,r){let[i,...a]=t,o=e===null?[]:[Q(`span`,{class:`tick`},[e?`☑ `:`☐ `])],s=e===null?Y:{class:`task`};if(i?.type!==`paragraph`)return Q(`li`,s,[...o,...X(t,n,r)]);let c=Z(i.text,r&&a.length===0);return Q(`li`,s,[...o,...c,...X(a,n,r)])}function wn(e,t,n){let r=Q(`button`,{type:`button`,class:`copy`,part:`copy`,"data-part":`copy`},[n.copy]);return Q(`div`,{class:`code`,dir:`ltr`},[Q(`div`,{class:`bar`},[Q(`span`,{class:`language`},e?[e]:[]),r]),Q(`pre`,{tabindex:`0`},[Q(`code`,Y,t?[t]:[])])])}function Z(e,t){return cn(e,t).map(Tn)}function Tn(e){if(typeof e==`string`)return e;let t=e.tag===`a`?{href:e.href??``,target:`_blank`,rel:`noopener noreferrer nofollow`}:e.tag===`code`?{dir:`ltr`}:Y;return Q(e.tag,t,e.children.map(Tn))}function Q(e,t,n){return{tag:e,attributes:t,children:n}}function En(e,t,n){let r=e.lastChild;for(let i=t.length-1;i>=0;--i){let a=r?.previousSibling??null;i>=n.length?r?.remove():r&&Dn(e,r,t[i],n[i]),r=a}for(let r of n.slice(t.length))e.append(kn(r))}function Dn(e,t,n,r){n!==void 0&&r!==void 0&&n!==r&&(typeof n==`string`&&typeof r==`string`&&t instanceof Text?r.startsWith(n)?t.appendData(r.slice(n.length)):t.data=r:typeof n==`object`&&typeof r==`object`&&t instanceof Element&&On(n,r)?En(t,n.children,r.children):e.replaceChild(kn(r),t))}function On(e,t){if(e.tag!==t.tag)return!1;let n=Object.entries(e.attributes),r=t.attributes;return n.length===Object.keys(r).length&&n.every(([e,t])=>r[e]===t)}function kn(e){if(typeof e==`string`)return document.createTextNode(e);if(!bn.has(e.tag))return document.createTextNode(``);let t=document.createElement(e.tag);for(let[n,r]of Object.entries(e.attributes))xn.has(n)&&t.setAttribute(n,r);for(let n of e.children)t.append(kn(n));return t}var An=/^[ \t>]*(?:[-=*+_#`~|:][-=*+_#`~|: \t]*|\d{1,9}[.)]?)?$/,jn=class{element;messages;#e=``;#t=0;#n=[];#r=!0;constructor(e,t){this.element=e,this.messages=t}get text(){return this.#e}set(e,t){if(e===this.#e&&t===this.#r)return;e.startsWith(this.#e)||this.#i(),this.#e=e,this.#r=t;let n=e.slice(this.#t),r=X(t?Nn(z(Mn(n))):z(n),this.messages,t);En(this.element,this.#n,r),this.#n=r,t&&this.#a(n)}#i(){this.#t=0,this.#n=[],this.element.replaceChildren()}#a(e){let t=e.slice(0,e.lastIndexOf(`
`)+1),n=t?z(t):[],r=n.at(-1)?.line??0;if(r===0)return;let i=e.split(`
`).slice(0,r);this.#t+=i.reduce((e,t)=>e+t.length+1,0),this.#n=this.#n.slice(n.length-1)}};function Mn(e){let t=e.lastIndexOf(`
`)+1;return An.test(e.slice(t))?e.slice(0,t):e}function Nn(e){let t=e.at(-1);if(t?.type!==`paragraph`)return e;let n=t.text.lastIndexOf(`
`)+1;if(t.text[n]!==`|`)return e;let r=t.text.slice(0,Math.max(0,n-1));return[...e.slice(0,-1),...r?[{...t,text:r}]:[]]}var Pn=class{context;#e;#t;buttons;form=D(`form`,{class:`comment`,part:`feedback-form`,hidden:!0});#n=``;#r=`positive`;constructor(e){this.context=e,this.#e=this.#i(`good`,`positive`,`feedback-up`),this.#t=this.#i(`bad`,`negative`,`feedback-down`),this.buttons=[this.#e,this.#t]}update(e){this.#n=e.id;for(let[t,n]of[[this.#e,`positive`],[this.#t,`negative`]])t.hidden=!e.feedback||e.live,O(t,`aria-pressed`,String(e.rating?.value===n));e.feedback||(this.form.hidden=!0)}#i(e,t,n){let r=this.context.locale.messages[e];return D(`button`,{type:`button`,class:`tool`,part:n,title:r,"aria-label":r,click:()=>this.#a(t)},j(e))}#a(e){this.#r=e,this.context.conversation.rate(this.#n,e,``),this.form.firstChild||this.#o(),this.form.hidden=!1,this.form.querySelector(`textarea`)?.focus({preventScroll:!0}),this.form.scrollIntoView({block:`nearest`})}#o(){let{messages:e}=this.context.locale,t=D(`textarea`,{rows:2,maxlength:2e3,part:`feedback-comment`,placeholder:e.comment,"aria-label":e.comment,keydown:e=>{e.isComposing||e.key===`Escape`?e.isComposing||this.#s(e):e.key===`Enter`&&!e.shiftKey&&(e.preventDefault(),this.form.requestSubmit())}}),n=D(`button`,{type:`submit`,class:`small strong`,part:`feedback-send`},e.send),r=D(`button`,{type:`button`,class:`small`,click:e=>this.#s(e)},e.cancel);this.form.append(t,D(`div`,{class:`row`},r,n)),this.form.addEventListener(`submit`,n=>{n.preventDefault();let r=t.value.trim();r&&this.context.conversation.rate(this.#n,this.#r,r),t.value=``,this.#s(n),this.context.announcer.polite(e.thanks)})}#s(e){e.stopPropagation(),this.form.hidden=!0,(this.#r===`positive`?this.#e:this.#t).focus({preventScroll:!0})}},Fn=class{locale;address;element=D(`div`,{class:`files`,part:`files`,hidden:!0});#e=[];#t=new Map;constructor(e,t){this.locale=e,this.address=t}update(e){if(e===this.#e)return;this.#e=e,this.element.hidden=e.length===0;let t=e.map(e=>{let t=this.#t.get(e.id)??this.#n(e);return this.#t.set(e.id,t),t});(t.some((e,t)=>this.element.children[t]!==e)||this.element.children.length>t.length)&&this.element.replaceChildren(...t)}#n(e){let t=this.address(e.url);if(!t)return $(e,this.locale,null);if(!/^image\/(?!svg)/.test(e.type))return $(e,this.locale,t);let n=D(`img`,{crossorigin:`anonymous`,alt:e.name,loading:`lazy`,decoding:`async`}),r=D(`a`,{class:`picture`,...In(t)},n);return n.addEventListener(`error`,()=>r.replaceWith($(e,this.locale,t))),n.src=t,r}};function $(e,t,n){let r=[j(`file`),D(`span`,{class:`name`},e.name),D(`span`,{class:`size`},tt(e.size,t.language))];return n?D(`a`,{class:`file`,...In(n)},...r):D(`span`,{class:`file`},...r)}function In(e){return{href:e,target:`_blank`,rel:`noopener noreferrer nofollow`}}var Ln=864e5;function Rn(){return D(`time`,{class:`time`,part:`time`})}function zn(e,t,n){if(e.hidden=t===0,t===0)return;let r=new Date(t*1e3);O(e,`datetime`,r.toISOString()),k(e,Hn(n,{timeStyle:`short`}).format(r))}function Bn(e,t){let n=new Date(e*1e3),r=Math.round((new Date().setHours(0,0,0,0)-new Date(e*1e3).setHours(0,0,0,0))/Ln);if(r>1)return Hn(t,{dateStyle:`long`}).format(n);let i=new Intl.RelativeTimeFormat(t,{numeric:`auto`}).format(-r,`day`);return i.charAt(0).toLocaleUpperCase(t)+i.slice(1)}var Vn=new Map;function Hn(e,t){let n=e+JSON.stringify(t),r=Vn.get(n)??new Intl.DateTimeFormat(e,t);return Vn.set(n,r),r}var Un=1500,Wn=class{context;#e=D(`div`,{class:`markdown`,part:`body`,dir:`auto`});#t=D(`div`,{class:`buttons`,hidden:!0});#n=D(`div`,{class:`suggestions`,hidden:!0});#r=Rn();#i;#a;#o;#s;#c;#l;#u;element;#d=null;constructor(e,t){this.context=e;let{messages:n}=e.locale;this.#u=new jn(this.#e,n),this.#c=new Fn(e.locale,t=>e.conversation.api.address(t)),this.#l=new Pn(e),this.#i=D(`span`,{class:`stopped`,part:`stopped`,hidden:!0},n.stopped),this.#a=this.#h(`copy`,`copy-reply`,n.copy,()=>void this.#g()),this.#o=this.#h(`retry`,`retry`,n.retry,t),this.#s=D(`div`,{class:`tools`,part:`tools`},this.#a,...this.#l.buttons,this.#o,this.#i,this.#r),this.element=D(`article`,{class:`message reply`,part:`message`,"data-role":`assistant`,"aria-label":e.title},this.#e,this.#c.element,this.#t,this.#s,this.#l.form,this.#n),this.#e.addEventListener(`click`,e=>void this.#_(e))}update(e){let t=this.#d;this.#d=e,this.#u.set(e.text,e.live),this.#e.hidden=e.text===``,t&&t.live===e.live&&e.live||(this.element.classList.toggle(`live`,e.live),this.element.classList.toggle(`last`,e.last),O(this.element,`data-id`,e.id||null),O(this.element,`aria-busy`,e.live?`true`:null),this.#s.hidden=e.live,this.#a.hidden=e.text===``,this.#o.hidden=!e.retryable,this.#i.hidden=!e.stopped,zn(this.#r,e.at,this.context.locale.language),this.#c.update(e.files),this.#l.update(e),t?.buttons!==e.buttons&&this.#f(e.buttons),t?.suggestions!==e.suggestions&&this.#m(e.suggestions))}#f(e){this.#t.hidden=e.length===0,this.#t.replaceChildren(...e.map(e=>this.#p(e)))}#p(e){let t={class:`choice ${e.style===`primary`||e.style===`danger`?e.style:``}`},n=e.url?K(e.url):null;if(n)return D(`a`,{...t,part:`button`,href:n,target:`_blank`,rel:`noopener noreferrer nofollow`},e.label);let r=()=>{let{id:t=``,value:n=``,label:r}=e;this.context.conversation.send({kind:`action`,text:r,name:t,value:n,about:this.#d?.id??``})};return D(`button`,{type:`button`,...t,part:`button`,disabled:!e.id,click:r},e.label)}#m(e){this.#n.hidden=e.length===0;let t=e.map(e=>D(`button`,{type:`button`,class:`suggestion`,part:`suggestion`,dir:`auto`,click:()=>this.context.conversation.send({text:e})},e));this.#n.replaceChildren(...t)}#h(e,t,n,r){return D(`button`,{type:`button`,class:`tool`,part:t,title:n,"aria-label":n,click:r},j(e))}async#g(){await ft(this.#u.text)&&(this.#a.replaceChildren(j(`check`)),this.context.announcer.polite(this.context.locale.messages.copied),setTimeout(()=>this.#a.replaceChildren(j(`copy`)),Un))}async#_(e){let t=e.target.closest(`.copy`),n=t?.closest(`.code`)?.querySelector(`code`);if(!t||!n||!await ft(n.textContent))return;let{messages:r}=this.context.locale;k(t,r.copied),this.context.announcer.polite(r.copied),setTimeout(()=>k(t,r.copy),Un)}},Gn=class{context;#e=D(`div`,{class:`bubble`,part:`body`,dir:`auto`});#t=Rn();#n=D(`span`,{class:`note`,part:`note`});#r;#i;#a;#o;#s;element;#c=``;constructor(e,t){this.context=e;let{messages:n}=e.locale,{conversation:r}=e;this.#s=new Fn(e.locale,e=>r.api.address(e)),this.#r=D(`button`,{type:`button`,class:`small`,part:`again`,click:()=>r.again(this.#c)},n.retry),this.#i=D(`button`,{type:`button`,class:`small`,part:`discard`,click:()=>r.discard(this.#c)},n.cancel),this.#a=Kn(`edit`,n.edit,t.edit),this.#o=Kn(`retry`,n.retry,t.retry),this.element=D(`article`,{class:`message said`,part:`message`,"data-role":`user`,"aria-label":n.you},this.#s.element,this.#e,D(`div`,{class:`tools`,part:`tools`},this.#n,this.#r,this.#i,this.#t,this.#o,this.#a))}update(e){this.#c=e.id;let t=e.state===`failed`;O(this.element,`data-id`,e.id),O(this.element,`data-state`,e.state),k(this.#e,this.#l(e)),this.#e.hidden=e.text===``,this.#s.update(e.files);let n=this.#u(e);k(this.#n,n),this.#n.hidden=n===``,this.#r.hidden=this.#i.hidden=!t,this.#a.hidden=!e.editable,this.#o.hidden=!e.retryable,zn(this.#t,n?0:e.at,this.context.locale.language)}#l(e){let{messages:t}=this.context.locale;return e.command&&e.text.trim()===`/human`?t.human:e.text}#u({state:e,reason:t}){let{messages:n}=this.context.locale;return e===`failed`?t?`${n.failed}: ${t}`:n.failed:e===`waiting`?t?E(n.limited,{count:t}):n.waiting:e===`sending`?n.sending:``}};function Kn(e,t,n){return D(`button`,{type:`button`,class:`tool`,part:e,title:t,"aria-label":t,click:n},j(e))}var qn=48,Jn=class{context;actions;#e=D(`div`,{class:`list`});#t;#n;#r;#i=D(`span`,{});#a;#o=new Map;log;element;#s=!0;#c=0;#l=0;constructor(e,t){this.context=e,this.actions=t;let{messages:n}=e.locale,{greeting:r}=e;this.#t=D(`button`,{type:`button`,class:`small earlier`,part:`earlier`,hidden:!0,click:()=>void this.#_()},n.earlier),this.#n=D(`div`,{class:`welcome`,part:`welcome`},D(`span`,{class:`avatar large`},j(`spark`)),D(`p`,{dir:`auto`},r||n.welcome)),this.#r=D(`div`,{class:`waiting`,part:`status`,hidden:!0},D(`span`,{class:`dots`,"aria-hidden":`true`},D(`i`),D(`i`),D(`i`)),this.#i),this.log=D(`div`,{class:`log`,part:`log`,role:`log`,"aria-live":`off`,"aria-label":e.title,tabindex:0},this.#t,this.#n,this.#e,this.#r),this.#a=D(`button`,{type:`button`,class:`latest`,part:`latest`,hidden:!0,title:n.latest,"aria-label":n.latest,click:()=>this.end(!0)},j(`down`)),this.element=D(`div`,{class:`transcript`},this.log,this.#a),this.log.addEventListener(`scroll`,()=>this.#d(),{passive:!0});let i=new ResizeObserver(()=>this.#u());i.observe(this.log),i.observe(this.#e)}update(e){let{messages:t}=this.context.locale,n=this.#h(e.rows);this.#t.hidden=!e.more,this.#n.hidden=e.rows.length>0||e.waiting!==``,this.#r.hidden=e.waiting===``,e.waiting&&k(this.#i,e.waiting===`queued`?t.queued:t.typing),n.some(e=>e.kind===`user`&&e.state===`sending`)&&(this.#s=!0),this.#u()}end(e=!1){this.#s=!0;let t=matchMedia(`(prefers-reduced-motion: reduce)`).matches;this.log.scrollTo({top:this.log.scrollHeight,behavior:e&&!t?`smooth`:`instant`}),e&&this.log.focus({preventScroll:!0}),this.#a.hidden=!0}#u(){this.#s?this.log.scrollTop=this.log.scrollHeight:this.#a.hidden=this.#p(),this.#f()}#d(){let e=this.log.scrollTop<this.#c-1&&this.#m>this.#l+1;this.#s=!e&&(this.#s||this.#p()),this.#a.hidden=this.#p(),this.#f()}#f(){this.#c=this.log.scrollTop,this.#l=this.#m}#p(){return this.#m<qn}get#m(){return this.log.scrollHeight-this.log.scrollTop-this.log.clientHeight}#h(e){let t=new Set(e.map(e=>e.key));for(let[e,{shown:n}]of this.#o)t.has(e)||(n.element.remove(),this.#o.delete(e));let n=[],r=this.#e.firstElementChild;for(let t of e){let e=this.#o.get(t.key);e?Yn(e.row,t)||(e.row=t,e.shown.update(t)):(e={shown:this.#g(t),row:t},this.#o.set(t.key,e),e.shown.update(t),n.push(t)),e.shown.element===r?r=r.nextElementSibling:this.#e.insertBefore(e.shown.element,r)}return n}#g(e){switch(e.kind){case`user`:return new Gn(this.context,this.actions);case`reply`:return new Wn(this.context,this.actions.retry);case`day`:return{element:D(`div`,{class:`day`,part:`day`},Bn(e.at,this.context.locale.language)),update:()=>void 0}}}async#_(){let e=this.log.scrollHeight-this.log.scrollTop;this.#t.disabled=!0,this.#s=!1,await this.context.conversation.earlier(),requestAnimationFrame(()=>{this.#t.disabled=!1,this.log.scrollTop=this.log.scrollHeight-e,this.#t.hidden&&this.log.focus({preventScroll:!0})})}};function Yn(e,t){if(e===t)return!0;let n=Object.entries(e),r=t;return n.every(([e,t])=>r[e]===t)}var Xn=2500,Zn=1500,Qn=`botkit-panel`,$n=class{context;#e;#t;#n;#r=D(`div`,{class:`banner`,part:`banner`,hidden:!0});#i;#a=[];element;#o=!1;#s;#c=!1;#l=0;constructor(e,t,n){this.context=e;let{messages:r}=e.locale;this.#e=new Jn(e,{edit:()=>this.#p(),retry:()=>this.#m()}),this.#t=new Et(e),this.#n=new Dt(e),this.#i=D(`div`,{class:`drop`,part:`drop`,hidden:!0},j(`attach`),r.attach);let i=D(`button`,{type:`button`,class:`tool`,part:`close`,title:r.close,"aria-label":r.close,click:n},j(`close`));this.element=D(`section`,{id:Qn,class:`panel ${t?`floating`:`inline`}`,part:`panel`,role:t?`dialog`:`region`,"aria-label":e.title,tabindex:-1},D(`header`,{class:`header`,part:`header`},D(`span`,{class:`avatar`,part:`avatar`,"aria-hidden":`true`},j(`spark`)),D(`h2`,{class:`title`,part:`title`,dir:`auto`},e.title),this.#n.element,t&&i),this.#r,this.#e.element,this.#t.element,this.#i,e.announcer.element),this.#d(),this.attach()}attach(){let{conversation:e}=this.context;this.#a=[e.on(`change`,()=>this.#u()),e.on(`message`,e=>this.#g(e))],this.draw()}detach(){for(let e of this.#a)e();clearTimeout(this.#s),this.#s=void 0}shown(){this.draw(),this.#e.end()}focus(){this.#t.focus()}destroy(){this.detach(),this.element.remove()}draw(){this.#o=!1;let e=N(this.context.conversation.state);this.#e.update(e),this.#t.update(e),this.#n.update(),this.#h()}#u(){this.#o||(this.#o=!0,document.hidden?setTimeout(()=>this.draw(),250):requestAnimationFrame(()=>this.draw()))}#d(){let{element:e}=this;e.addEventListener(`pointerdown`,e=>this.#n.touched(e.target)),e.addEventListener(`dragenter`,e=>this.#f(e,1)),e.addEventListener(`dragleave`,e=>this.#f(e,-1)),e.addEventListener(`dragover`,e=>e.preventDefault()),e.addEventListener(`drop`,e=>{e.preventDefault(),this.#l=0,this.#i.hidden=!0,this.#t.take(mt(e.dataTransfer))})}#f(e,t){e.dataTransfer?.types.includes(`Files`)&&this.#t.takesFiles&&(e.preventDefault(),this.#l+=t,this.#i.hidden=this.#l<=0)}#p(){let{last:e}=N(this.context.conversation.state);e&&this.#t.edit(e)}#m(){let{conversation:e}=this.context,{last:t}=N(e.state);t&&e.ask(t),this.#t.focus()}#h(){let{messages:e}=this.context.locale,{link:t}=this.context.conversation,n=!navigator.onLine;t===`lost`||t===`connecting`?this.#s??=setTimeout(()=>{this.#c=!0,this.#u()},Xn):(clearTimeout(this.#s),this.#s=void 0,this.#c=!1);let r=t===`refused`?e.unavailable:n?e.offline:this.#c?e.connecting:``;r&&r!==this.#r.textContent&&this.context.announcer.polite(r),this.#r.hidden=r===``,O(this.element,`data-link`,t),k(this.#r,r)}#g(e){Pe(e)&&e.text&&this.context.conversation.watched&&requestAnimationFrame(()=>{let t=[...this.element.querySelectorAll(`[data-id="${CSS.escape(e.id)}"] .markdown > *`)].map(e=>e.querySelector(`pre`)?.textContent??e.innerText).join(`
`);this.context.announcer.polite(`${this.context.title}: ${t.slice(0,Zn)}`)})}},er=`:host{all:initial;display:block}:host([floating]){display:contents}:host([hidden]){display:none}:host(:not([floating])){block-size:640px;max-block-size:100%;min-inline-size:0}*,:before,:after{box-sizing:border-box}[hidden]{display:none!important}.root{--surface:var(--botkit-surface,#fff);--raised:#fff;--soft:#f1f3f6;--text:var(--botkit-text,#16191f);--muted:#596171;--line:#e4e7ec;--edge:#858d9b;--danger:#b42318;--danger-soft:#fef1f0;--warn-soft:#fff6e0;--shade:16 24 40;--radius:var(--botkit-radius,20px);--z:var(--botkit-z,2147480000);color:var(--text);font-family:var(--botkit-font,ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif);font-size:var(--botkit-font-size,15px);text-align:start;-webkit-font-smoothing:antialiased;-webkit-text-size-adjust:100%;-moz-text-size-adjust:100%;text-size-adjust:100%;-webkit-tap-highlight-color:transparent;--lightningcss-light:initial;--lightningcss-dark: ;color-scheme:light;block-size:100%;line-height:1.5}.root[data-theme=dark]{--surface:var(--botkit-surface-dark,#16181d);--raised:#20232a;--soft:#23272f;--text:var(--botkit-text-dark,#eceef2);--muted:#a3abba;--line:#2e333d;--edge:#7d8695;--danger:#ff9a90;--danger-soft:#3a1f1e;--warn-soft:#38301a;--shade:0 0 0;--lightningcss-light: ;--lightningcss-dark:initial;color-scheme:dark}button,textarea,input{font:inherit;color:inherit;letter-spacing:inherit;margin:0}button{appearance:none;cursor:pointer;touch-action:manipulation;background:0 0;border:0;padding:0}button:disabled{cursor:default;opacity:.55}:focus-visible{outline:2px solid var(--accent-text);outline-offset:2px}.icon{fill:none;stroke:currentColor;stroke-width:1.75px;stroke-linecap:round;stroke-linejoin:round;flex:none;block-size:20px;inline-size:20px;display:block}.icon-menu{stroke-width:2.75px}.icon-spark,.icon-stop{fill:currentColor;stroke-width:1px}.unseen{clip-path:inset(50%);white-space:nowrap;block-size:1px;inline-size:1px;position:absolute;overflow:hidden}.tool{block-size:40px;inline-size:40px;color:var(--muted);border-radius:12px;flex:none;justify-content:center;align-items:center;transition:background-color .15s,color .15s;display:inline-flex}.tool:hover:not(:disabled){background:var(--soft);color:var(--text)}.small{min-block-size:28px;color:var(--accent-text);border-radius:9px;padding:3px 10px;font-size:.867em;font-weight:550}.small:hover:not(:disabled){background:var(--soft)}.small.strong{background:var(--accent);color:var(--on-accent)}.avatar{background:var(--accent);block-size:34px;inline-size:34px;color:var(--on-accent);border-radius:50%;flex:none;place-items:center;display:inline-grid}.avatar .icon{block-size:18px;inline-size:18px}@media (prefers-reduced-motion:reduce){*,:before,:after{transition:none!important;animation:none!important}}@media (forced-colors:active){.round,.launcher,.badge,.avatar,.bubble,.suggestion,.choice,.code,.small.strong{border:1px solid buttontext!important}.tool[aria-pressed=true],.frame:focus-within{outline:2px solid highlight}}`,tr=`.composer{margin:0;padding:6px 14px 14px}.frame{border:1px solid var(--edge);background:var(--raised);border-radius:22px;transition:border-color .15s,box-shadow .15s}.frame:focus-within{border-color:var(--accent-text);box-shadow:0 0 0 1px var(--accent-text)}.line{align-items:flex-end;gap:4px;padding:4px;display:flex}.line .tool{border-radius:50%}.line textarea{resize:none;scrollbar-width:thin;background:0 0;border:0;outline:none;flex:1;block-size:40px;min-block-size:40px;min-inline-size:0;padding:9px 4px 8px 10px;line-height:1.5;overflow-y:auto}[dir=rtl] .line textarea{padding:9px 10px 8px 4px}.tool:not([hidden])+textarea{padding-inline-start:2px!important}textarea::placeholder{color:var(--muted);opacity:1}.round,.tool.round{background:var(--accent);block-size:40px;inline-size:40px;color:var(--on-accent);border-radius:50%;flex:none;place-items:center;transition:transform .15s,background-color .15s,color .15s;display:grid}.tool.round:hover:not(:disabled){background:var(--accent);color:var(--on-accent)}.round:active{transform:scale(.93)}.round[aria-disabled=true]{background:var(--soft);color:var(--muted);cursor:default}.counter{color:var(--muted);font-variant-numeric:tabular-nums;align-self:center;padding-inline:4px;font-size:.8em}.counter.over{color:var(--danger);font-weight:650}.objection{background:var(--danger-soft);color:var(--danger);white-space:pre-line;border-radius:12px;margin:0 0 8px;padding:8px 12px;font-size:.867em;animation:.15s fade}.editing{color:var(--muted);align-items:center;gap:8px;padding:6px 8px 0 14px;font-size:.867em;display:flex}[dir=rtl] .editing{padding:6px 14px 0 8px}.editing .icon{block-size:15px;inline-size:15px}.editing .small{margin-inline-start:auto}.tray{flex-direction:column;gap:6px;max-block-size:168px;padding:8px 8px 0;display:flex;overflow:auto}.item{background:var(--soft);border-radius:14px;align-items:center;gap:10px;padding:4px 4px 4px 6px;font-size:.867em;display:flex}.item .name{text-overflow:ellipsis;white-space:nowrap;flex:1;min-inline-size:0;overflow:hidden}.item .tool{block-size:32px;inline-size:32px}.item .tool:hover{background:var(--line)!important}.item .tool .icon{block-size:16px;inline-size:16px}.thumb{background:var(--surface);block-size:36px;inline-size:36px;color:var(--muted);border-radius:9px;place-items:center;display:grid;overflow:hidden}.thumb canvas{block-size:100%;inline-size:100%}.uploading .thumb{animation:.7s infinite alternate breathe}.full .line textarea{font-size:16px}`,nr=`.launcher{z-index:var(--z);background:var(--accent);block-size:60px;inline-size:60px;color:var(--on-accent);border-radius:50%;place-items:center;transition:transform .2s cubic-bezier(.2,.8,.2,1),box-shadow .2s;animation:.3s cubic-bezier(.2,.9,.3,1.1) arrive;display:grid;position:fixed;inset-block-end:calc(20px + env(safe-area-inset-bottom));inset-inline-end:calc(20px + env(safe-area-inset-right));box-shadow:0 1px 3px #1018282e,0 8px 28px #10182838}[data-position=right] .launcher{inset-inline:auto;right:calc(20px + env(safe-area-inset-right))}[data-position=left] .launcher{inset-inline:auto;left:calc(20px + env(safe-area-inset-left))}.launcher:hover{transform:translateY(-2px)scale(1.03)}.launcher:active{transform:scale(.96)}.launcher:focus-visible{outline:3px solid var(--accent-text);outline-offset:3px;box-shadow:0 0 0 3px var(--surface), 0 8px 28px #10182838}.launcher .icon{grid-area:1/1;block-size:27px;inline-size:27px;transition:transform .25s,opacity .2s}.launcher .icon-down,.open .launcher .icon-chat{opacity:0;transform:rotate(-60deg)scale(.5)}.open .launcher .icon-down{opacity:1;transform:none}.badge{border:2px solid var(--surface);color:#fff;text-align:center;background:#d92d20;border-radius:11px;block-size:22px;min-inline-size:22px;padding-inline:6px;font-size:11.5px;font-weight:700;line-height:18px;animation:.3s cubic-bezier(.2,.9,.3,1.4) arrive;position:absolute;inset-block-start:-3px;inset-inline-end:-3px}.full.open .launcher{display:none}@keyframes arrive{0%{opacity:0;transform:scale(.6)}}@media print{.launcher{display:none}}`,rr=`.markdown{flex-direction:column;gap:.7em;min-inline-size:0;line-height:1.58;display:flex}.markdown>*{min-inline-size:0;max-inline-size:100%}.markdown :is(p,h3,ul,ol,blockquote,pre,hr){margin:0}.markdown :is(p,li,h3){text-align:start;unicode-bidi:plaintext}.markdown :is(th,td){text-align:start;unicode-bidi:isolate}.markdown h3{letter-spacing:-.01em;margin-block-start:.3em;font-size:1.03em;font-weight:650;line-height:1.35}.markdown h3.level-1{font-size:1.27em}.markdown h3.level-2{font-size:1.13em}.markdown>h3:first-child{margin-block-start:0}.markdown strong{font-weight:650}.markdown a{color:var(--accent-text);text-underline-offset:2.5px;border-radius:3px;text-decoration:underline;text-decoration-thickness:1px}.markdown a:hover{text-decoration-thickness:2px}.markdown :is(ul,ol){padding-inline-start:1.5em}.markdown li+li,.markdown li>:is(ul,ol){margin-block-start:.3em}.markdown li>:is(p,blockquote,.code,.table){margin-block-start:.5em}.markdown li::marker{color:var(--muted)}.markdown li.task{margin-inline-start:-1.2em;list-style:none}.markdown blockquote{border-inline-start:3px solid var(--line);color:var(--muted);flex-direction:column;gap:.5em;padding-inline-start:.9em;display:flex}.markdown hr{background:var(--line);border:0;block-size:1px;inline-size:100%}.markdown code{background:var(--soft);font-family:var(--botkit-font-mono,ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace);border-radius:6px;padding:.13em .36em;font-size:.89em}.code{border:1px solid var(--line);background:var(--soft);text-align:start;border-radius:13px;overflow:hidden}.bar{border-block-end:1px solid var(--line);min-block-size:34px;color:var(--muted);justify-content:space-between;align-items:center;padding-inline:14px 4px;font-size:.8em;display:flex}.copy{border-radius:8px;min-block-size:28px;padding:2px 10px;font-weight:550}.copy:hover{background:var(--surface);color:var(--text)}.markdown pre{scrollbar-width:thin;padding:12px 14px;line-height:1.5;overflow:auto}.markdown pre code{overflow-wrap:normal;white-space:pre;background:0 0;padding:0;font-size:.84em}.markdown :is(pre,.table):focus-visible{outline-offset:-2px;border-radius:10px}.table{scrollbar-width:thin;border:1px solid var(--line);border-radius:12px;overflow:auto}.table table{border-collapse:collapse;overflow-wrap:normal;min-inline-size:100%;font-size:.92em}.table :is(th,td){border-block-end:1px solid var(--line);vertical-align:top;min-inline-size:72px;padding:7px 12px}.table th{background:var(--soft);font-weight:600}.table tr:last-child td{border-block-end:0}.table .right{text-align:end}.table .center{text-align:center}.live .markdown>:is(p,h3):last-child:after{content:"";background:var(--accent-text);vertical-align:.05em;border-radius:50%;block-size:.55em;inline-size:.55em;margin-inline-start:.35em;animation:1s ease-in-out infinite alternate breathe;display:inline-block}.live .markdown>:is(ul,ol):last-child>li:last-child:not(:has(ul,ol,p,div)):after{content:"";background:var(--accent-text);vertical-align:.05em;border-radius:50%;block-size:.55em;inline-size:.55em;margin-inline-start:.35em;animation:1s ease-in-out infinite alternate breathe;display:inline-block}.live .markdown>:last-child>li:last-child>:is(ul,ol):last-child>li:last-child:not(:has(ul,ol,p,div)):after{content:"";background:var(--accent-text);vertical-align:.05em;border-radius:50%;block-size:.55em;inline-size:.55em;margin-inline-start:.35em;animation:1s ease-in-out infinite alternate breathe;display:inline-block}@keyframes breathe{0%{opacity:.25;transform:scale(.8)}}`,ir=`.message{flex-direction:column;gap:6px;min-inline-size:0;display:flex}.said{align-items:flex-end;animation:.2s cubic-bezier(.2,.9,.3,1) appear}@keyframes appear{0%{opacity:0;transform:translateY(6px)}}.bubble{border-radius:18px;background:var(--accent);max-inline-size:86%;color:var(--on-accent);white-space:pre-wrap;unicode-bidi:plaintext;border-end-end-radius:6px;padding:9px 14px}.bubble::selection{background:var(--on-accent);color:var(--accent)}.said:is([data-state=waiting],[data-state=failed]) .bubble{background:var(--soft);color:var(--text)}[data-state=sending] .note{animation:.3s .6s backwards appear}.tools{min-block-size:28px;color:var(--muted);flex-wrap:wrap;align-items:center;gap:2px;font-size:.8em;display:flex}.said .tools{justify-content:flex-end;min-block-size:20px}.tools .tool{border-radius:8px;block-size:28px;inline-size:30px}.tools .tool .icon{block-size:16px;inline-size:16px}.reply .tools{margin-inline-start:-7px}.time,.note,.stopped{padding-inline:6px}.tools .tool[aria-pressed=true]{color:var(--accent-text)}.tools .tool[aria-pressed=true] .icon{fill:currentColor;fill-opacity:.18}.note{max-inline-size:100%}[data-state=failed] .note{color:var(--danger)}.tools .small{font-size:1em}@media (hover:hover){.reply:not(.last) .tools,.said .tools>.time,.said .tools>.tool{opacity:0;transition:opacity .15s}.message:hover .tools,.message:focus-within .tools,.said:hover .tools>*,.said:focus-within .tools>*{opacity:1}}.files{flex-wrap:wrap;align-items:flex-end;gap:8px;max-inline-size:100%;display:flex}.said .files{justify-content:flex-end}.picture{background:var(--soft);border-radius:14px;max-inline-size:min(240px,100%);line-height:0;display:block;overflow:hidden}.picture img{object-fit:cover;min-block-size:48px;max-block-size:240px;min-inline-size:48px;max-inline-size:100%;display:block}.file{border:1px solid var(--line);min-block-size:40px;max-inline-size:100%;color:var(--text);border-radius:12px;align-items:center;gap:8px;padding:8px 12px;font-size:.867em;text-decoration:none;display:flex}a.file:hover{background:var(--soft)}.file .name{text-overflow:ellipsis;white-space:nowrap;overflow:hidden}.file .icon,.size{color:var(--muted)}.size{white-space:nowrap;flex:none}.buttons,.suggestions{flex-wrap:wrap;gap:8px;margin-block-start:4px;display:flex}.buttons .choice,.suggestion{border:1px solid var(--line);background:var(--surface);min-block-size:38px;max-inline-size:100%;color:var(--accent-text);text-align:start;border-radius:19px;align-items:center;padding:7px 14px;font-size:.933em;font-weight:550;text-decoration:none;transition:background-color .15s,border-color .15s;display:inline-flex}.buttons .choice{border-radius:12px}.buttons .choice:hover:not(:disabled),.suggestion:hover{border-color:var(--accent-text);background:var(--soft)}.buttons .choice.primary{background:var(--accent);color:var(--on-accent);border-color:#0000}.buttons .choice.danger{color:var(--danger)}.suggestions{animation:.25s appear}.comment{border:1px solid var(--line);background:var(--soft);border-radius:14px;flex-direction:column;gap:8px;padding:10px;animation:.2s appear;display:flex}.comment textarea{border:1px solid var(--edge);background:var(--surface);resize:none;border-radius:9px;inline-size:100%;padding:8px 10px;font-size:.933em}.comment .row{justify-content:flex-end;gap:6px;display:flex}.comment .small{min-block-size:32px;padding-inline:14px}.comment textarea::placeholder{color:var(--muted);opacity:1}`,ar=`.panel{background:var(--surface);border:1px solid var(--line);border-radius:var(--radius);overflow-wrap:anywhere;flex-direction:column;block-size:100%;min-block-size:0;display:flex;position:relative;overflow:hidden}.panel:focus{outline:none}.panel.floating{z-index:var(--z);inline-size:min(var(--botkit-width,408px), calc(100vw - 40px));block-size:min(var(--botkit-height,680px), calc(100dvh - 118px));box-shadow:0 2px 6px rgb(var(--shade) / 8%), 0 16px 56px rgb(var(--shade) / 24%);transform-origin:100% 100%;animation:.24s cubic-bezier(.2,.9,.3,1) rise;position:fixed;inset-block-end:calc(94px + env(safe-area-inset-bottom));inset-inline-end:calc(20px + env(safe-area-inset-right))}[data-position=right] .panel.floating{inset-inline:auto;right:calc(20px + env(safe-area-inset-right))}[data-position=left] .panel.floating{inset-inline:auto;left:calc(20px + env(safe-area-inset-left));transform-origin:0 100%}.full .panel.floating{inset:var(--seen-top,0) 0 auto;inline-size:100%;block-size:var(--seen-height,100dvh);padding:env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left);border:0;border-radius:0;animation-name:fade}@keyframes rise{0%{opacity:0;transform:translateY(14px)scale(.97)}}.header{border-block-end:1px solid var(--line);align-items:center;gap:11px;min-block-size:62px;padding:10px 10px 10px 18px;display:flex}[dir=rtl] .header{padding:10px 18px 10px 10px}.title{letter-spacing:-.01em;text-align:start;text-overflow:ellipsis;white-space:nowrap;flex:1;min-inline-size:0;margin:0;font-size:1.067em;font-weight:650;line-height:1.3;overflow:hidden}.menu{margin-inline-start:auto;position:relative}.header .tool+.tool,.menu+.tool{margin-inline-start:-8px}.choices{z-index:3;border:1px solid var(--line);background:var(--raised);min-inline-size:208px;box-shadow:0 8px 28px rgb(var(--shade) / 18%);border-radius:14px;padding:6px;animation:.12s fade;position:absolute;inset-block-start:calc(100% + 4px);inset-inline-end:0}.choices .choice{text-align:start;white-space:nowrap;border-radius:9px;align-items:center;gap:10px;min-block-size:40px;inline-size:100%;padding:8px 12px;display:flex}.choices .choice .icon{color:var(--muted)}.choices .choice:hover,.choices .choice:focus-visible{background:var(--soft)}.choices .choice:focus-visible{outline-offset:-2px}.banner{background:var(--warn-soft);text-align:center;padding:8px 18px;font-size:.867em;animation:.2s fade}.transcript{flex:1;min-block-size:0;position:relative}.log{overscroll-behavior:contain;scrollbar-width:thin;scrollbar-color:var(--line) transparent;flex-direction:column;block-size:100%;padding:18px 18px 10px;display:flex;overflow:hidden auto}.log:focus-visible{outline-offset:-3px;border-radius:6px}.list{flex-direction:column;gap:10px;display:flex}.earlier{align-self:center;margin-block-end:14px}.welcome{text-align:center;flex-direction:column;flex:1;justify-content:center;align-items:center;gap:16px;padding:24px;display:flex}.welcome p{letter-spacing:-.015em;text-wrap:balance;max-inline-size:280px;margin:0;font-size:1.267em;font-weight:600;line-height:1.35}.avatar.large{block-size:56px;inline-size:56px}.avatar.large .icon{block-size:28px;inline-size:28px}.day{color:var(--muted);align-self:center;padding:2px 10px;font-size:.8em;font-weight:550}.waiting{min-block-size:28px;color:var(--muted);align-items:center;gap:10px;margin-block-start:16px;font-size:.867em;animation:.25s fade;display:flex}.dots{gap:4px;display:inline-flex}.dots i{background:var(--accent-text);border-radius:50%;block-size:7px;inline-size:7px;animation:1.2s ease-in-out infinite pulse}.dots i:nth-child(2){animation-delay:.15s}.dots i:nth-child(3){animation-delay:.3s}@keyframes pulse{0%,60%,to{opacity:.3;transform:none}30%{opacity:1;transform:translateY(-3px)}}@keyframes fade{0%{opacity:0}}.latest{border:1px solid var(--line);background:var(--raised);block-size:40px;inline-size:40px;color:var(--text);box-shadow:0 4px 14px rgb(var(--shade) / 16%);border-radius:50%;place-items:center;margin-inline:auto;animation:.15s fade;display:grid;position:absolute;inset-block-end:10px;inset-inline:0}.drop{z-index:4;border:2px dashed var(--accent-text);border-radius:calc(var(--radius) - 6px);background:color-mix(in srgb, var(--surface) 93%, transparent);color:var(--accent-text);pointer-events:none;flex-direction:column;justify-content:center;align-items:center;gap:12px;font-weight:600;display:flex;position:absolute;inset:8px}.drop .icon{block-size:32px;inline-size:32px}`,or=`(max-width: 479.98px), (max-height: 419.98px) and (pointer: coarse)`,sr=`a[href], button:not([disabled]), textarea, input, [tabindex="0"]`,cr=class e extends HTMLElement{static observedAttributes=it;static site;#e=null;#t=null;#n=null;#r=null;#i=null;#a=null;#o=null;#s=null;#c=[];#l=!1;get isOpen(){return this.#o!==null}get floating(){return this.hasAttribute(`floating`)}connectedCallback(){let e=this.shadowRoot??this.attachShadow({mode:`open`}),t=!this.#e;t?(e.adoptedStyleSheets=[A(er),A(nr)],this.#u(e)):(this.#n?.attach(),this.#d(),this.#h()),this.#g(),(!this.floating||(t?this.#a?.open:this.#l))&&this.open(!1)}disconnectedCallback(){for(let e of this.#c)e();this.#c=[],this.#l=this.isOpen,this.#s?.(),this.#o?.(),this.#o=null,this.#n?.detach()}attributeChangedCallback(e){if(!this.#e||!this.shadowRoot)return;if(!this.isConnected)return this.#f();if(e===`data-theme`||e===`data-accent`)return this.#h();let t=this.isOpen;this.#f(),this.#u(this.shadowRoot),t&&this.open(!1)}open(t=!0){let{floating:n}=this;if(this.isOpen||!this.#e||!this.#r)return;let r=this.#n??this.#p();r.element.hidden=!1,this.#e.classList.add(`open`),this.#o=this.#r.watch(this),r.shown(),this.#m(),this.#_(),t&&n&&r.focus(),n&&e.site.emit(`open`)}close(){if(!this.isOpen||!this.floating)return;let t=this.shadowRoot?.activeElement;this.#o?.(),this.#o=null,this.#n&&(this.#n.element.hidden=!0),this.#e?.classList.remove(`open`),this.#m(),t&&this.#t?.element.focus({preventScroll:!0}),e.site.emit(`close`)}toggle(){this.isOpen?this.close():this.open()}#u(t){let{server:n,defaults:r}=e.site,i=at(r,this.dataset,n),a=$e(et(i.locale)),o=e.site.conversation(a.tag);this.#a=i,this.#i=a,this.#r=o,this.#e=D(`div`,{class:`root`,dir:a.direction,lang:a.language,"data-position":i.position===`left`||i.position===`right`?i.position:null,keydown:e=>this.#v(e)}),this.#h(),this.floating&&(this.#t=new dt(a,()=>this.toggle()),this.#e.append(this.#t.element)),t.replaceChildren(this.#e),this.#d()}#d(){this.#s=this.#r?.on(`change`,()=>this.#m())??null,this.#m()}#f(){this.#s?.(),this.#o?.(),this.#o=null,this.#n?.destroy(),this.#n=null,this.#t=null,this.#e?.remove(),this.#e=null}#p(){let{shadowRoot:e,floating:t}=this,[n,r,i,a]=[this.#e,this.#a,this.#i,this.#r];if(!e||!n||!r||!i||!a)throw Error(`botkit: not connected`);e.adoptedStyleSheets.length===2&&e.adoptedStyleSheets.push(A(ar),A(ir),A(rr),A(tr));let o=r.title||i.messages.title,s=new st,c={conversation:a,locale:i,title:o,greeting:r.greeting,announcer:s};return this.#n=new $n(c,t,()=>this.close()),n.prepend(this.#n.element),this.#n}#m(){let e=this.isOpen?0:this.#r?.unread??0;this.#t?.update(this.isOpen,e,this.#n?Qn:``)}#h(){let t=this.#e;if(!t)return;let{accent:n,theme:r}=at(e.site.defaults,this.dataset,``),i=ze(Ue(n||getComputedStyle(this).getPropertyValue(`--botkit-accent`))??Fe),a=r===`auto`?matchMedia(`(prefers-color-scheme: dark)`).matches:r===`dark`;t.style.setProperty(`--accent`,i.accent),t.style.setProperty(`--on-accent`,i.onAccent),t.style.setProperty(`--accent-text`,a?i.onDark:i.onLight),O(t,`data-theme`,a?`dark`:`light`)}#g(){let e=(e,t,n)=>{e.addEventListener(t,n),this.#c.push(()=>e.removeEventListener(t,n))};e(matchMedia(`(prefers-color-scheme: dark)`),`change`,()=>this.#h()),e(matchMedia(or),`change`,()=>this.#_()),window.visualViewport&&this.floating&&(e(window.visualViewport,`resize`,()=>this.#_()),e(window.visualViewport,`scroll`,()=>this.#_()))}#_(){let e=this.#n?.element;if(!e||!this.floating)return;let t=matchMedia(or).matches;this.#e?.classList.toggle(`full`,t),O(e,`aria-modal`,t?`true`:null);let{visualViewport:n}=window;e.style.setProperty(`--seen-height`,t&&n?`${n.height}px`:``),e.style.setProperty(`--seen-top`,t&&n?`${n.offsetTop}px`:``)}#v(e){e.stopPropagation(),e.key===`Escape`&&!e.isComposing?this.close():e.key===`Tab`&&this.#e?.classList.contains(`full`)&&this.isOpen&&this.#y(e)}#y(e){let t=[...this.#n?.element.querySelectorAll(sr)??[]].filter(e=>e.checkVisibility()&&e.tabIndex>=0),[n,r]=[t[0],t.at(-1)],i=this.shadowRoot?.activeElement;if(e.shiftKey&&(i===n||i===this.#n?.element))r?.focus();else if(!e.shiftKey&&i===r)n?.focus();else return;e.preventDefault()}},lr=new Set([`identify`,`on`]);function ur(e){let t=e.dataset,n=ot(e.src,t.server),r=new Map,i=(e,t)=>{for(let n of r.get(e)??[])n(t)},a=null,o=(e=``)=>(a??=fr(new Ne(n),i),e&&(a.locale=e),a);cr.site={server:n,defaults:t,conversation:o,emit:i};let s=null,c=()=>s?.isConnected?s:document.querySelector(`botkit-chat`),l=Array.isArray(window.botkit)?window.botkit:[],u={open:()=>{s&&!c()&&document.body.append(s),c()?.open()},close:()=>c()?.close(),toggle:()=>(c()??{toggle:u.open}).toggle(),send:e=>o().send({text:String(e)}),on:(e,t)=>{let n=r.get(e)??new Set;return r.set(e,n.add(t)),()=>n.delete(t)},identify:e=>o().identify(e),push:(...e)=>{for(let[t,...n]of e){let e=Object.hasOwn(u,t)?u[t]:null;e?e(...n):console.warn(`botkit: there is no "${t}"`)}}};window.botkit=u,customElements.define(`botkit-chat`,cr);let d=()=>{at(t,{},n).launcher&&(s=document.createElement(`botkit-chat`),s.setAttribute(`floating`,``),document.body.append(s)),u.push(...l.filter(([e])=>!lr.has(e))),o().resume()};u.push(...l.filter(([e])=>lr.has(e))),document.body?d():dr(d)}function dr(e){let t=new MutationObserver(()=>{document.body&&(t.disconnect(),e())});t.observe(document.documentElement,{childList:!0})}function fr(e,t){return e.on(`message`,e=>{e.role!==`rating`&&t(`message`,e)}),e.on(`error`,e=>t(`error`,e)),e}var pr=document.currentScript??document.querySelector(`script[src*="/widget.js"]`);pr instanceof HTMLScriptElement&&!customElements.get(`botkit-chat`)&&ur(pr)})();