/**
 * The Lua scripts of the adapter, which the proxy knows too: whatever has to be atomic is one of them.
 *
 * A bucket is a hash: a user's fields, and in the field U+0001 a JSON array of what is known of it: its
 * newest revision, when it expires (by the server's clock, 0: never), then writers and their sequences,
 * the newest writer last. A bucket that is absent has that field alone, for two minutes.
 *
 * A revision is the server's time in microseconds, or one more than the last where that is not enough:
 * it grows, and never comes again.
 */

/** One script, by its text and by the SHA-1 of it that `EVALSHA` takes. */
export interface Script {
  readonly sha: string;
  readonly text: string;
}

/** What is there: `m` as above, and `cur`, the revision or nothing where the bucket is absent. */
const look = `local c,k=redis.call,KEYS[1]
local t=c('TIME')
local now=t[1]*1000+math.floor(t[2]/1000)
`;

const bucket = `${look}local m=c('HGET',k,'\\1')
if not m and c('EXISTS',k)>0 then error('CORRUPT') end
m=cjson.decode(m or '["0",0]')
local function there() return c('HLEN',k)>1 and (m[2]==0 or m[2]>now) and m[1] or '' end
local cur=there()
local function all()
if cur=='' then return {} end
local f=c('HGETALL',k)
for i=1,#f,2 do if f[i]=='\\1' then f[i+1]='' break end end
return f
end
`;

/**
 * Reads a bucket. KEYS: the bucket. ARGV: `all`, or `some` and the names of fields.
 *
 * Returns its newest revision, that again or an empty text where the bucket is absent, and a list: of
 * names and values, or of the values that were asked for.
 */
export const read: Script = {
  sha: '9cff19111e189f996bfc360e9f048da04d0b050d',
  text: `${bucket}local f={}
if ARGV[1]=='all' then f=all() elseif cur~='' then
for i=2,#ARGV do f[i-1]=c('HGET',k,ARGV[i]) end
end
return {m[1],cur,f}`,
};

/**
 * Makes a commit. KEYS: the bucket, its lock. ARGV: writer, sequence, `=` and the revision that it has
 * to be made on (`=` alone: the bucket must be absent; empty: none), ttl in milliseconds (below 0: for
 * ever; empty: unchanged), the token of the lock (`*`: whoever holds it), `1` to clear, how many names
 * are deleted, those names, then names and values.
 *
 * Publishes a JSON array: the new revision, that again or an empty text where nothing is left, the newest
 * one before, writer, sequence, `1` for a clear, and the names that were deleted or set.
 *
 * Returns the new revision, the one before or an empty text, the newest one before also of what was
 * absent, and the new one or an empty text where nothing is left. Of a repeat only the first two, both of
 * now. 0 where somebody else holds the lock. What `read` does where it has to be made on something else.
 */
export const commit: Script = {
  sha: 'f377d3ab916e2d9717716763c4db744e5eefe79c',
  text: `${bucket}local w,s,on,ttl,token,clear,n=unpack(ARGV,1,7)
local p
for i=3,#m,2 do if m[i]==w then p=i end end
if p and tonumber(s)<=tonumber(m[p+1]) then return {m[1],cur} end
local q=token~='*' and c('GET',KEYS[2])
if q then
q=cjson.decode(q)
if q[1]~=token and q[2]>now then return 0 end
end
if on~='' and on~='='..cur then return {m[1],cur,all()} end
local old,till=m[1],m[2]
if cur=='' then m[2]=0 end
if cur=='' or clear=='1' then c('DEL',k) till=0 end
local note={'','',old,w,s,clear}
for i=8,7+n do c('HDEL',k,ARGV[i]) note[#note+1]=ARGV[i] end
for i=8+n,#ARGV,2 do note[#note+1]=ARGV[i] end
for i=8+n,#ARGV,1000 do c('HSET',k,unpack(ARGV,i,math.min(i+999,#ARGV))) end
if ttl~='' then m[2]=ttl+0<0 and 0 or now+ttl end
if p then table.remove(m,p) table.remove(m,p) end
m[#m+1]=w
m[#m+1]=s
if #m>34 then table.remove(m,3) table.remove(m,3) end
m[1]=('%.0f'):format(math.max(t[1]*1e6+t[2],old+1))
c('HSET',k,'\\1',cjson.encode(m))
note[1]=m[1]
note[2]=there()
if c('HLEN',k)==1 then c('PEXPIRE',k,120000)
elseif m[2]>0 then c('PEXPIREAT',k,m[2]+120000)
elseif till>0 then c('PERSIST',k) end
c('PUBLISH',k..':changes',cjson.encode(note))
return {m[1],cur,old,note[2]}`,
};

/**
 * Asks for a lock, asks again, keeps it or gives it back: a queue of tokens and until when they count,
 * of which the first one holds the lock. KEYS: the lock. ARGV: token, for how many milliseconds it counts
 * from now on (0: no longer).
 *
 * Returns the token's place in the queue: 1 is the holder's, 0 is none.
 */
export const lock: Script = {
  sha: '7fef0830ed7925c510047427611ce49ef4ab6db8',
  text: `${look}local ttl,p,n=tonumber(ARGV[2]),0,{}
local function add(x,till) n[#n+1]=x n[#n+1]=till end
local function mine() if ttl>0 then p=#n/2+1 add(ARGV[1],now+ttl) end end
local q=cjson.decode(c('GET',k) or '[]')
for i=1,#q,2 do
if q[i]==ARGV[1] then mine() elseif q[i+1]>now then add(q[i],q[i+1]) end
end
if p==0 then mine() end
if n[1] then c('SET',k,cjson.encode(n),'PX',60000) else c('DEL',k) end
return p`,
};
