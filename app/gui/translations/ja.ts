<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja">
<context>
    <name>Banner</name>
    <message>
        <source>Problem</source>
        <translation>問題</translation>
    </message>
    <message>
        <source>What to do</source>
        <translation>対処方法</translation>
    </message>
    <message>
        <source>Show the next problem</source>
        <translation>次の問題を表示</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy the problem and what to do about it</source>
        <translation>問題と対処方法をコピー</translation>
    </message>
    <message>
        <source>Copy the problem</source>
        <translation>問題をコピー</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Dismiss the problem</source>
        <translation>問題の表示を閉じる</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>コピーしました</translation>
    </message>
    <message>
        <source>{at} of {all}</source>
        <translation>{at} / {all}</translation>
    </message>
</context>
<context>
    <name>BrainPage</name>
    <message>
        <source>Brain</source>
        <translation>頭脳</translation>
    </message>
    <message>
        <source>Who answers</source>
        <translation>答えるのは誰か</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>提供元</translation>
    </message>
    <message>
        <source>“The best that is there” asks Groq where a key is stored, then your server, then the model on this computer; each stands in for the one before.</source>
        <translation>「使える中で最良」は、キーがあれば Groq、次に自分のサーバー、最後にこのコンピューターのモデルに尋ねます。前のものが使えないときは次が代わりに答えます。</translation>
    </message>
    <message>
        <source>The best that is there</source>
        <translation>使える中で最良</translation>
    </message>
    <message>
        <source>Groq</source>
        <translation>Groq</translation>
    </message>
    <message>
        <source>A server of your own</source>
        <translation>自分のサーバー</translation>
    </message>
    <message>
        <source>This computer alone</source>
        <translation>このコンピューターだけ</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>Optional and free of charge at console.groq.com. With it your words are sent to Groq.</source>
        <translation>任意です。console.groq.com で無料で取得できます。設定すると、あなたの言葉は Groq に送られます。</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>The name that Groq gives the model.</source>
        <translation>Groq でのモデル名です。</translation>
    </message>
    <message>
        <source>Second model</source>
        <translation>予備のモデル</translation>
    </message>
    <message>
        <source>Asked where the first has reached its limit, since each has its own. Empty: none.</source>
        <translation>最初のモデルが利用上限に達したときに使います(上限はモデルごとに別です)。空欄なら使いません。</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>アドレス</translation>
    </message>
    <message>
        <source>Any server that speaks OpenAI&apos;s chat, such as Ollama, LM Studio or llama.cpp.</source>
        <translation>OpenAI 形式のチャットに対応したサーバー(Ollama、LM Studio、llama.cpp など)。</translation>
    </message>
    <message>
        <source>Empty takes the first that the server has.</source>
        <translation>空欄ならサーバーの最初のモデルを使います。</translation>
    </message>
    <message>
        <source>Only where the server asks for one.</source>
        <translation>サーバーが求める場合だけ必要です。</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>返答</translation>
    </message>
    <message>
        <source>Longest answer of this computer</source>
        <translation>このコンピューターの返答の最大長</translation>
    </message>
    <message>
        <source>In tokens; a word is about one and a half.</source>
        <translation>トークン数。英語の 1 語は約 1.5 トークンです。</translation>
    </message>
    <message>
        <source>Longest answer of Groq and servers</source>
        <translation>Groq とサーバーの返答の最大長</translation>
    </message>
    <message>
        <source>In tokens, thoughts that are not said included.</source>
        <translation>トークン数。口に出さない思考も含みます。</translation>
    </message>
    <message>
        <source>Give up after</source>
        <translation>待つ時間</translation>
    </message>
    <message>
        <source>Groq is left for the next after this long without a word; a server after ten times that.</source>
        <translation>この時間何も返らなければ、Groq をあきらめて次に尋ねます。サーバーはその 10 倍まで待ちます。</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>Talk kept word by word</source>
        <translation>そのまま覚えておく会話</translation>
    </message>
    <message>
        <source>In tokens. What is older is summed up.</source>
        <translation>トークン数。それより古い会話は要約されます。</translation>
    </message>
    <message>
        <source>Remember me</source>
        <translation>私のことを覚える</translation>
    </message>
    <message>
        <source>Keep what you tell about yourself, on this computer. kuchipaku memory shows and erases it.</source>
        <translation>あなたが話した自分のことを、このコンピューターに保存します。kuchipaku memory で確認と消去ができます。</translation>
    </message>
    <message>
        <source>Keep the talk</source>
        <translation>会話を保存する</translation>
    </message>
    <message>
        <source>Keep what was said, on this computer, so that the page History can show it again.</source>
        <translation>話した内容をこのコンピューターに保存し、「履歴」ページで見返せるようにします。</translation>
    </message>
    <message>
        <source>Words move the face</source>
        <translation>言葉で表情を変える</translation>
    </message>
    <message>
        <source>Also words without a tag change the expression, by a small list of words.</source>
        <translation>タグのない言葉でも、小さな単語リストをもとに表情が変わります。</translation>
    </message>
    <message>
        <source>Speak first after</source>
        <translation>自分から話しはじめるまで</translation>
    </message>
    <message>
        <source>After this long a silence it begins to talk by itself.</source>
        <translation>この時間沈黙が続くと、自分から話しはじめます。</translation>
    </message>
    <message>
        <source>never</source>
        <translation>しない</translation>
    </message>
    <message>
        <source>So often in a row</source>
        <translation>続けて話す回数</translation>
    </message>
    <message>
        <source>Without an answer of yours it then waits.</source>
        <translation>返事がなければ、この回数のあとは待ちます。</translation>
    </message>
</context>
<context>
    <name>CameraNote</name>
    <message>
        <source>On air: {device}</source>
        <translation>配信中: {device}</translation>
    </message>
    <message>
        <source>On air.</source>
        <translation>配信中。</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>開始しています…</translation>
    </message>
    <message>
        <source>Off: other programs see no picture.</source>
        <translation>オフ: ほかのプログラムには映像が届きません。</translation>
    </message>
</context>
<context>
    <name>CharacterCard</name>
    <message>
        <source>On stage</source>
        <translation>ステージ上</translation>
    </message>
    <message>
        <source>Yours</source>
        <translation>自作</translation>
    </message>
    <message>
        <source>Comes with the app</source>
        <translation>アプリ付属</translation>
    </message>
    <message>
        <source>{name}, {about}</source>
        <translation>{name}、{about}</translation>
    </message>
    <message>
        <source>Click twice to put on stage</source>
        <translation>ダブルクリックでステージに出す</translation>
    </message>
</context>
<context>
    <name>CharacterRow</name>
    <message>
        <source>Character</source>
        <translation>キャラクター</translation>
    </message>
    <message>
        <source>More, also from a picture of your own, on the page Characters.</source>
        <translation>ほかのキャラクターの追加や、自分の絵からの作成は「キャラクター」ページで行えます。</translation>
    </message>
</context>
<context>
    <name>CharactersPage</name>
    <message>
        <source>Characters</source>
        <translation>キャラクター</translation>
    </message>
    <message>
        <source>A picture of the character</source>
        <translation>キャラクターの絵</translation>
    </message>
    <message>
        <source>A photo or a short video of a person</source>
        <translation>人の写真または短い動画</translation>
    </message>
    <message>
        <source>Pictures ({kinds});;All files (*)</source>
        <translation>画像 ({kinds});;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>Pictures and videos ({kinds});;All files (*)</source>
        <translation>画像と動画 ({kinds});;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>{name} is saved.</source>
        <translation>{name} を保存しました。</translation>
    </message>
    <message>
        <source>Import a character</source>
        <translation>キャラクターを読み込む</translation>
    </message>
    <message>
        <source>Characters and cards (*{suffix} *.png *.json);;All files (*)</source>
        <translation>キャラクターとカード (*{suffix} *.png *.json);;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>Importing…</source>
        <translation>読み込んでいます…</translation>
    </message>
    <message>
        <source>{name} is there.</source>
        <translation>{name} を追加しました。</translation>
    </message>
    <message>
        <source>Export {name}</source>
        <translation>{name} を書き出す</translation>
    </message>
    <message>
        <source>Characters (*{suffix})</source>
        <translation>キャラクター (*{suffix})</translation>
    </message>
    <message>
        <source>{name} is in {file}.</source>
        <translation>{name} を {file} に書き出しました。</translation>
    </message>
    <message>
        <source>Remove {name} from the characters?</source>
        <translation>{name} を一覧から外しますか?</translation>
    </message>
    <message>
        <source>Its folder is kept apart, in case you want it back.</source>
        <translation>戻したくなったときのため、フォルダーは別に残します。</translation>
    </message>
    <message>
        <source>{name} is removed; its folder is kept as {folder}.</source>
        <translation>{name} を外しました。フォルダーは {folder} に残っています。</translation>
    </message>
</context>
<context>
    <name>ConnectionTest</name>
    <message>
        <source>Test the connection</source>
        <translation>接続をテスト</translation>
    </message>
    <message>
        <source>Asking each of them for a word…</source>
        <translation>それぞれにひと言尋ねています…</translation>
    </message>
    <message>
        <source>Groq</source>
        <translation>Groq</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>このコンピューター</translation>
    </message>
    <message>
        <source>✗ {who}: {detail}</source>
        <translation>✗ {who}: {detail}</translation>
    </message>
    <message>
        <source>round trip {ms:.0f} ms</source>
        <translation>往復 {ms:.0f} ms</translation>
    </message>
    <message>
        <source>first word after {ms:.0f} ms</source>
        <translation>最初の言葉まで {ms:.0f} ms</translation>
    </message>
    <message>
        <source>✓ {who}: {detail}</source>
        <translation>✓ {who}: {detail}</translation>
    </message>
</context>
<context>
    <name>Conversation</name>
    <message>
        <source>Conversation</source>
        <translation>会話</translation>
    </message>
    <message>
        <source>Nothing said yet.

Talk, or type below.
You may interrupt the character.</source>
        <translation>まだ会話はありません。

話しかけるか、下に入力してください。
途中で割り込んでもかまいません。</translation>
    </message>
    <message>
        <source>You</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>中断</translation>
    </message>
</context>
<context>
    <name>DeviceField</name>
    <message>
        <source>{name} (not connected)</source>
        <translation>{name}(未接続)</translation>
    </message>
</context>
<context>
    <name>ExpressionBar</name>
    <message>
        <source>More expressions</source>
        <translation>ほかの表情</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>ほか…</translation>
    </message>
    <message>
        <source>Expressions without a key of 1 to 8</source>
        <translation>キー1〜8のない表情</translation>
    </message>
    <message>
        <source>More expressions, now {name}</source>
        <translation>ほかの表情、現在は{name}</translation>
    </message>
</context>
<context>
    <name>ExpressionButton</name>
    <message>
        <source>Expression {name}, key {key}</source>
        <translation>表情「{name}」、キー {key}</translation>
    </message>
    <message>
        <source>Expression {name}</source>
        <translation>表情「{name}」</translation>
    </message>
    <message>
        <source>{name} (key {key})</source>
        <translation>{name}(キー {key})</translation>
    </message>
</context>
<context>
    <name>ExpressionEditor</name>
    <message>
        <source>Expressions</source>
        <translation>表情</translation>
    </message>
    <message>
        <source>New…</source>
        <translation>新規…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>読み込む…</translation>
    </message>
    <message>
        <source>Emotions of SillyTavern&apos;s talkinghead or of raven (JSON)</source>
        <translation>SillyTavern の talkinghead または raven の感情ファイル(JSON)</translation>
    </message>
    <message>
        <source>Both sides together</source>
        <translation>左右いっしょに</translation>
    </message>
    <message>
        <source>All to rest</source>
        <translation>すべて初期値に</translation>
    </message>
    <message>
        <source>The app&apos;s own again</source>
        <translation>アプリの既定に戻す</translation>
    </message>
    <message>
        <source>Take your changes of this one away</source>
        <translation>この表情の変更を取り消す</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Expressions of {name}</source>
        <translation>{name} の表情</translation>
    </message>
    <message>
        <source>{name} comes with the app and stays as it is. Saving makes a copy of your own.</source>
        <translation>{name} はアプリ付属のため変わりません。保存すると自分用のコピーができます。</translation>
    </message>
    <message>
        <source>New expression</source>
        <translation>新しい表情</translation>
    </message>
    <message>
        <source>Its name, in small letters such as “victory”:</source>
        <translation>名前(半角小文字、例: 「victory」):</translation>
    </message>
    <message>
        <source>“{name}” cannot be used: write letters a to z, digits and spaces.</source>
        <translation>「{name}」は使えません。a~z の文字、数字、空白で書いてください。</translation>
    </message>
    <message>
        <source>Import emotions</source>
        <translation>感情を読み込む</translation>
    </message>
    <message>
        <source>Emotions (*.json);;All files (*)</source>
        <translation>感情 (*.json);;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>The emotions are there.</source>
        <translation>感情を読み込みました。</translation>
    </message>
</context>
<context>
    <name>FacePage</name>
    <message>
        <source>Face</source>
        <translation>顔</translation>
    </message>
    <message>
        <source>Whose face is seen</source>
        <translation>見せる顔</translation>
    </message>
    <message>
        <source>A photo of a person can stand in for the character&apos;s own face. Persona, voice and talk stay; it can be changed in mid-sentence, also by hotkey.</source>
        <translation>キャラクターの顔の代わりに人の写真を見せられます。人格、声、会話はそのままです。話の途中でも、ホットキーでも切り替えられます。</translation>
    </message>
    <message>
        <source>The character&apos;s own</source>
        <translation>キャラクターの顔</translation>
    </message>
    <message>
        <source>A photo of a person</source>
        <translation>人の写真</translation>
    </message>
    <message>
        <source>What moves a photo</source>
        <translation>写真の動かし方</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>Photo puppet</source>
        <translation>フォトパペット</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>画質</translation>
    </message>
    <message>
        <source>“Fast” has a smaller decoder for cards that are late: the skin is slightly smoother.</source>
        <translation>「高速」は遅いカード向けの小さなデコーダーで、肌が少しなめらかになります。</translation>
    </message>
    <message>
        <source>Best</source>
        <translation>最良</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>高速</translation>
    </message>
    <message>
        <source>MuseTalk&apos;s files</source>
        <translation>MuseTalk のファイル</translation>
    </message>
    <message>
        <source>The photo puppet bends the photo, on any computer. MuseTalk paints the mouth anew; it wants an NVIDIA card and its files. Where it stops, the photo puppet goes on.</source>
        <translation>フォトパペットは写真を変形させ、どのコンピューターでも動きます。MuseTalk は口を描き直します。NVIDIA のカードと専用ファイルが必要です。MuseTalk が止まったときはフォトパペットが続けます。</translation>
    </message>
    <message>
        <source>A folder with musetalkV15, sd-vae and whisper in it (for “Fast” also taesd). Nothing is downloaded by itself; docs/engines.md says where they are, and their licences.</source>
        <translation>musetalkV15、sd-vae、whisper(「高速」では taesd も)が入ったフォルダー。自動ではダウンロードされません。入手先とライセンスは docs/engines.md にあります。</translation>
    </message>
    <message>
        <source>In the models folder</source>
        <translation>モデルのフォルダー内</translation>
    </message>
    <message>
        <source>How it is drawn</source>
        <translation>描き方</translation>
    </message>
    <message>
        <source>Tier</source>
        <translation>描画方式</translation>
    </message>
    <message>
        <source>Live plays what was prepared for the character and runs on any computer. Exact draws every frame with the full networks and wants a graphics card.</source>
        <translation>「ライブ」は前もって用意した画像を使い、どのコンピューターでも動きます。「精密」は毎フレームを完全なネットワークで描くため、グラフィックスカードが必要です。</translation>
    </message>
    <message>
        <source>Exact on a suitable card, else live</source>
        <translation>対応カードなら精密、ほかはライブ</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>ライブ</translation>
    </message>
    <message>
        <source>Exact</source>
        <translation>精密</translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation>1 秒あたりのフレーム数</translation>
    </message>
    <message>
        <source>30 is what streams and calls use. Fewer spare the computer.</source>
        <translation>配信や通話では 30 が標準です。減らすとコンピューターの負担が軽くなります。</translation>
    </message>
    <message>
        <source>Detail</source>
        <translation>細かさ</translation>
    </message>
    <message>
        <source>Art larger than 512 pixels can be drawn at its own size.</source>
        <translation>512 ピクセルより大きな絵は、元の大きさで描けます。</translation>
    </message>
    <message>
        <source>Fine, where that is quick enough</source>
        <translation>十分速ければ細かく</translation>
    </message>
    <message>
        <source>Fine</source>
        <translation>細かく</translation>
    </message>
    <message>
        <source>Plain</source>
        <translation>標準</translation>
    </message>
    <message>
        <source>Networks</source>
        <translation>ネットワーク</translation>
    </message>
    <message>
        <source>The THA3 weights: those that come with the app, or others of yours. The face starts anew.</source>
        <translation>THA3 の重みです。付属のもの、または自分で用意したものを使います。変えると顔が読み込み直されます。</translation>
    </message>
    <message>
        <source>Those that come with the app</source>
        <translation>アプリ付属のもの</translation>
    </message>
    <message>
        <source>Lips</source>
        <translation>口の動き</translation>
    </message>
    <message>
        <source>The best that runs here</source>
        <translation>ここで動く最良のもの</translation>
    </message>
    <message>
        <source>Our own model</source>
        <translation>独自モデル</translation>
    </message>
    <message>
        <source>Who tells the sounds</source>
        <translation>音の判別</translation>
    </message>
    <message>
        <source>Of voices that do not say themselves when each of their sounds falls. Piper does.</source>
        <translation>音のタイミングを自分で知らせない声のために使います。Piper は自分で知らせます。</translation>
    </message>
    <message>
        <source>Mouth later than the sound</source>
        <translation>音に対する口の遅れ</translation>
    </message>
    <message>
        <source>For loudspeakers or screens that are late; below zero is earlier. “Lips” on the stage has a test.</source>
        <translation>スピーカーや画面が遅れる場合に使います。マイナスは早くなります。ステージの「口」でテストできます。</translation>
    </message>
    <message>
        <source> ms</source>
        <translation> ms</translation>
    </message>
</context>
<context>
    <name>FaceTest</name>
    <message>
        <source>Live</source>
        <translation>ライブ</translation>
    </message>
    <message>
        <source>Exact</source>
        <translation>精密</translation>
    </message>
    <message>
        <source>Try this</source>
        <translation>試す</translation>
    </message>
    <message>
        <source>Try this: {tier}</source>
        <translation>試す: {tier}</translation>
    </message>
    <message>
        <source>Measuring…</source>
        <translation>測定しています…</translation>
    </message>
    <message>
        <source>It cannot run here.</source>
        <translation>ここでは動きません。</translation>
    </message>
    <message>
        <source>{fps:.0f} fps here</source>
        <translation>ここでは {fps:.0f} fps</translation>
    </message>
    <message>
        <source>, fewer than the {wanted:.0f} of the settings</source>
        <translation>(設定の {wanted:.0f} に届きません)</translation>
    </message>
</context>
<context>
    <name>FirstSteps</name>
    <message>
        <source>Skip all</source>
        <translation>すべて省略</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>はじめに</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>You can also type, and leave this as it is.</source>
        <translation>文字でも話せるので、このままでもかまいません。</translation>
    </message>
    <message>
        <source>The system&apos;s default</source>
        <translation>システムの既定</translation>
    </message>
    <message>
        <source>Say something</source>
        <translation>何か話してください</translation>
    </message>
    <message>
        <source>The lower bar should pass the line while you speak, and not while you type.</source>
        <translation>下の棒が、話している間だけ線を越え、キーを打つ間は越えないのが理想です。</translation>
    </message>
    <message>
        <source>Voice and character</source>
        <translation>声とキャラクター</translation>
    </message>
    <message>
        <source>Groq key (optional)</source>
        <translation>Groq のキー(任意)</translation>
    </message>
    <message>
        <source>Without one a small model on this computer answers, and nothing you say leaves it. With one, larger models at Groq do; keys are free at console.groq.com.</source>
        <translation>キーがなければ、このコンピューターの小さなモデルが答え、あなたの言葉は外に出ません。キーがあれば Groq の大きなモデルが答えます。キーは console.groq.com で無料です。</translation>
    </message>
    <message>
        <source>Where it is seen</source>
        <translation>どこに映すか</translation>
    </message>
    <message>
        <source>Virtual camera</source>
        <translation>仮想カメラ</translation>
    </message>
    <message>
        <source>OBS, Discord, Zoom and browsers see the character as a webcam. You can do this later, too.</source>
        <translation>OBS、Discord、Zoom、ブラウザーからウェブカメラとして見えます。あとからでも設定できます。</translation>
    </message>
    <message>
        <source>Or let your streaming software capture this window: the page Stage has backgrounds for it, green and transparent among them.</source>
        <translation>配信ソフトでこのウィンドウを取り込むこともできます。「ステージ」ページには、緑や透明など、そのための背景があります。</translation>
    </message>
    <message>
        <source>Can it hear you?</source>
        <translation>声は届いていますか?</translation>
    </message>
    <message>
        <source>Who answers you?</source>
        <translation>誰が答えますか?</translation>
    </message>
    <message>
        <source>Where do others see it?</source>
        <translation>どこに映しますか?</translation>
    </message>
    <message>
        <source>Step {at} of {all}</source>
        <translation>ステップ {at} / {all}</translation>
    </message>
    <message>
        <source>To the stage</source>
        <translation>ステージへ</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>次へ</translation>
    </message>
</context>
<context>
    <name>FolderChoiceField</name>
    <message>
        <source>Choose a folder…</source>
        <translation>フォルダーを選ぶ…</translation>
    </message>
</context>
<context>
    <name>Gallery</name>
    <message>
        <source>New from a picture…</source>
        <translation>絵から作る…</translation>
    </message>
    <message>
        <source>Or drop a picture onto this page</source>
        <translation>このページに絵をドロップしてもかまいません</translation>
    </message>
    <message>
        <source>New from a photo…</source>
        <translation>写真から作る…</translation>
    </message>
    <message>
        <source>A photo or a short video of a person, who has to agree</source>
        <translation>人の写真または短い動画。本人の同意が必要です</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>読み込む…</translation>
    </message>
    <message>
        <source>A .kuchi file or a character card (PNG or JSON)</source>
        <translation>.kuchi ファイル、またはキャラクターカード(PNG か JSON)</translation>
    </message>
    <message>
        <source>Characters</source>
        <translation>キャラクター</translation>
    </message>
    <message>
        <source>Put on stage</source>
        <translation>ステージに出す</translation>
    </message>
    <message>
        <source>Who it is…</source>
        <translation>人格…</translation>
    </message>
    <message>
        <source>Name, persona and greeting, with a chat to try it</source>
        <translation>名前、人格、あいさつ。チャットで試せます</translation>
    </message>
    <message>
        <source>Expressions…</source>
        <translation>表情…</translation>
    </message>
    <message>
        <source>Faces, with a slider for every parameter</source>
        <translation>すべてのパラメーターをスライダーで動かして表情を作ります</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>書き出す…</translation>
    </message>
    <message>
        <source>One .kuchi file, to keep or to pass on</source>
        <translation>保存や配布に使える 1 つの .kuchi ファイル</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>外す…</translation>
    </message>
    <message>
        <source>{what}: {percent} %</source>
        <translation>{what}: {percent} %</translation>
    </message>
    <message>
        <source>Your own character.</source>
        <translation>自分のキャラクターです。</translation>
    </message>
    <message>
        <source>Comes with the app and stays as it is. Changing it makes a copy of your own.</source>
        <translation>アプリ付属のため変わりません。変更すると自分用のコピーができます。</translation>
    </message>
    <message>
        <source>On stage</source>
        <translation>ステージ上</translation>
    </message>
    <message>
        <source>Take it out of the list; its folder is kept apart</source>
        <translation>一覧から外します。フォルダーは別に残ります</translation>
    </message>
    <message>
        <source>Only your own characters can be removed, and not while they are on stage</source>
        <translation>外せるのは自分のキャラクターだけで、ステージに出ている間は外せません</translation>
    </message>
</context>
<context>
    <name>HearingPage</name>
    <message>
        <source>Hearing</source>
        <translation>聞き取り</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>Remembered by its name: unplug it and plug it in again as you like.</source>
        <translation>名前で記憶します。抜き差ししても大丈夫です。</translation>
    </message>
    <message>
        <source>The system&apos;s default</source>
        <translation>システムの既定</translation>
    </message>
    <message>
        <source>What counts as speech</source>
        <translation>声とみなす基準</translation>
    </message>
    <message>
        <source>Say something, then type or hum. Drag the line so that only your voice passes it: further left hears more, further right less.</source>
        <translation>話したあと、キーを打ったりハミングしたりしてみてください。声だけが越えるように線をドラッグします。左ほど敏感、右ほど鈍感になります。</translation>
    </message>
    <message>
        <source>Echo</source>
        <translation>エコー</translation>
    </message>
    <message>
        <source>Keeps the character from hearing itself through your loudspeakers.</source>
        <translation>スピーカーから出た自分の声をキャラクターが聞き取らないようにします。</translation>
    </message>
    <message>
        <source>Take it out</source>
        <translation>取り除く</translation>
    </message>
    <message>
        <source>I wear headphones</source>
        <translation>ヘッドホンを使う</translation>
    </message>
    <message>
        <source>Microphone off</source>
        <translation>マイクをオフにする</translation>
    </message>
    <message>
        <source>Now, and after each start until you switch it on.</source>
        <translation>今も、次の起動後も、オンにするまでオフのままです。</translation>
    </message>
    <message>
        <source>Ways to talk</source>
        <translation>話し方</translation>
    </message>
    <message>
        <source>When it listens</source>
        <translation>聞くタイミング</translation>
    </message>
    <message>
        <source>The talk key is F8 in this window, and one of your choice everywhere on the page Hotkeys.</source>
        <translation>トークキーはこのウィンドウでは F8 です。どこでも使えるキーは「ホットキー」ページで選べます。</translation>
    </message>
    <message>
        <source>Always; you can interrupt it</source>
        <translation>いつも(割り込める)</translation>
    </message>
    <message>
        <source>Always, but not while it speaks</source>
        <translation>いつも(話している間は除く)</translation>
    </message>
    <message>
        <source>While you hold the talk key</source>
        <translation>トークキーを押している間</translation>
    </message>
    <message>
        <source>Between two presses of the talk key</source>
        <translation>トークキーを押してから次に押すまで</translation>
    </message>
    <message>
        <source>Patience</source>
        <translation>気の長さ</translation>
    </message>
    <message>
        <source>How long you may pause before it answers. 1 is usual; more waits for slow talkers.</source>
        <translation>答えるまでに待つ間の長さです。1 が標準で、大きいほどゆっくり話す人を待ちます。</translation>
    </message>
    <message>
        <source>Longest pause</source>
        <translation>最長の間</translation>
    </message>
    <message>
        <source>A pause this long ends what you say where the model for ends of turns is missing.</source>
        <translation>話し終わりを判定するモデルがない場合、この長さの間で話し終わりとみなします。</translation>
    </message>
    <message>
        <source> ms</source>
        <translation> ms</translation>
    </message>
    <message>
        <source>Words that interrupt</source>
        <translation>割り込みに必要な語数</translation>
    </message>
    <message>
        <source>So many words stop it while it speaks. “Stop” and the like always do.</source>
        <translation>話している間にこの語数を言うと止まります。「ストップ」などはいつでも効きます。</translation>
    </message>
    <message>
        <source>Speech that interrupts</source>
        <translation>割り込みに必要な長さ</translation>
    </message>
    <message>
        <source>So much speech stops it, whatever the words.</source>
        <translation>言葉にかかわらず、この長さ話すと止まります。</translation>
    </message>
    <message>
        <source>Only when its name is said</source>
        <translation>名前を呼んだときだけ</translation>
    </message>
    <message>
        <source>It answers what names the character, and what follows soon after.</source>
        <translation>キャラクターの名前を含む言葉と、そのすぐあとの言葉に答えます。</translation>
    </message>
    <message>
        <source>Stays awake for</source>
        <translation>起きている時間</translation>
    </message>
    <message>
        <source>So long after its name everything counts.</source>
        <translation>名前を呼んだあと、この間はすべてに答えます。</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>Understanding</source>
        <translation>理解</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>What you speak. All but English need a Whisper for all languages.</source>
        <translation>あなたが話す言語です。英語以外には多言語用の Whisper が必要です。</translation>
    </message>
    <message>
        <source>English</source>
        <translation>英語</translation>
    </message>
    <message>
        <source>Japanese</source>
        <translation>日本語</translation>
    </message>
    <message>
        <source>Hindi</source>
        <translation>ヒンディー語</translation>
    </message>
    <message>
        <source>Any of them</source>
        <translation>どれでも</translation>
    </message>
    <message>
        <source>Who listens</source>
        <translation>聞き取るのは</translation>
    </message>
    <message>
        <source>“This computer”: nothing you say leaves it. “Groq” knows more words, gets the sound of each turn, and needs a key (page Brain).</source>
        <translation>「このコンピューター」なら、あなたの声は外に出ません。「Groq」はより多くの言葉を知っていますが、発言ごとの音声が送られ、キーが必要です(「頭脳」ページ)。</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>このコンピューター</translation>
    </message>
    <message>
        <source>Groq</source>
        <translation>Groq</translation>
    </message>
    <message>
        <source>Whisper model</source>
        <translation>Whisper モデル</translation>
    </message>
    <message>
        <source>“Best that is quick enough” chooses among those that are here. kuchipaku models add brings more.</source>
        <translation>「十分速い中で最良」は、ここにあるモデルから選びます。kuchipaku models add で追加できます。</translation>
    </message>
    <message>
        <source>Best that is quick enough here</source>
        <translation>ここで十分速い中で最良</translation>
    </message>
    <message>
        <source>Captions while you speak</source>
        <translation>話している間の字幕</translation>
    </message>
    <message>
        <source>Show your words as they are understood.</source>
        <translation>聞き取った言葉をその場で表示します。</translation>
    </message>
</context>
<context>
    <name>HistoryPage</name>
    <message>
        <source>History</source>
        <translation>履歴</translation>
    </message>
    <message>
        <source>What was said. It is kept on this computer only, in a file that only you can read.</source>
        <translation>これまでの会話です。このコンピューターの中だけに、あなただけが読めるファイルとして保存されます。</translation>
    </message>
    <message>
        <source>Search…</source>
        <translation>検索…</translation>
    </message>
    <message>
        <source>Search the history</source>
        <translation>履歴を検索</translation>
    </message>
    <message>
        <source>Talks with</source>
        <translation>会話の相手</translation>
    </message>
    <message>
        <source>Whose talks are shown, written to a file, and erased</source>
        <translation>表示、書き出し、消去の対象になる会話の相手</translation>
    </message>
    <message>
        <source>All characters</source>
        <translation>すべてのキャラクター</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>書き出す…</translation>
    </message>
    <message>
        <source>Write what is found, all of it, to a file: Markdown or JSON</source>
        <translation>見つかった会話をすべてファイル（Markdown または JSON）に書き出します</translation>
    </message>
    <message>
        <source>Erase…</source>
        <translation>消去…</translation>
    </message>
    <message>
        <source>What was said</source>
        <translation>会話の内容</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>見つかりませんでした。</translation>
    </message>
    <message>
        <source>Nothing is kept yet.</source>
        <translation>まだ何も保存されていません。</translation>
    </message>
    <message>
        <source>You</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>Markdown (*.md);;JSON (*.json)</source>
        <translation>Markdown (*.md);;JSON (*.json)</translation>
    </message>
    <message>
        <source>Export the history</source>
        <translation>履歴の書き出し</translation>
    </message>
    <message>
        <source>{count} messages are in {file}.</source>
        <translation>{count} 件のメッセージを {file} に書き出しました。</translation>
    </message>
    <message>
        <source>Erase all talks with {name}?</source>
        <translation>{name} との会話をすべて消去しますか？</translation>
    </message>
    <message>
        <source>Erase all talks, with all characters?</source>
        <translation>すべてのキャラクターとの会話を消去しますか？</translation>
    </message>
    <message>
        <source>Erase the history</source>
        <translation>履歴の消去</translation>
    </message>
    <message>
        <source>This cannot be undone. What the characters remember of you is kept elsewhere.</source>
        <translation>元に戻すことはできません。キャラクターがあなたについて覚えていることは、別に保存されています。</translation>
    </message>
    <message>
        <source>Erase</source>
        <translation>消去</translation>
    </message>
    <message>
        <source>{count} messages are erased.</source>
        <translation>{count} 件のメッセージを消去しました。</translation>
    </message>
    <message>
        <source>Nothing new is kept now: the talk is kept only while “Keep the talk” on the page Brain is on.</source>
        <translation>いまは新しい会話は保存されません。「頭脳」ページの「会話を保存する」がオンの間だけ保存されます。</translation>
    </message>
</context>
<context>
    <name>KeyRow</name>
    <message>
        <source>Key for: {action}</source>
        <translation>キー: {action}</translation>
    </message>
    <message>
        <source>Take the key away</source>
        <translation>キーを外す</translation>
    </message>
    <message>
        <source>Take the key away: {action}</source>
        <translation>キーを外す: {action}</translation>
    </message>
    <message>
        <source>What the key does: {action}</source>
        <translation>キーの動作: {action}</translation>
    </message>
    <message>
        <source>On and off</source>
        <translation>オン/オフ</translation>
    </message>
    <message>
        <source>While held</source>
        <translation>押している間</translation>
    </message>
    <message>
        <source>For a while</source>
        <translation>しばらくの間</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>How long: {action}</source>
        <translation>長さ: {action}</translation>
    </message>
    <message>
        <source>{keys} is also the key of: {others}. Only one of them works; choose another.</source>
        <translation>{keys} は {others} にも使われています。効くのは 1 つだけなので、別のキーを選んでください。</translation>
    </message>
</context>
<context>
    <name>KeysPage</name>
    <message>
        <source>Hotkeys</source>
        <translation>ホットキー</translation>
    </message>
    <message>
        <source>Keys that work while a game or another program has the focus.</source>
        <translation>ゲームなど、ほかのプログラムを使っている間も効くキーです。</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>どこでも使う</translation>
    </message>
    <message>
        <source>While this is off, no key is taken from other programs.</source>
        <translation>オフの間は、ほかのプログラムのキーを奪いません。</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>ショー全体</translation>
    </message>
    <message>
        <source>Push to talk: what you say counts while it is held.</source>
        <translation>プッシュトゥトーク: 押している間の言葉だけを聞きます。</translation>
    </message>
    <message>
        <source>Nothing is heard while the microphone is off.</source>
        <translation>マイクがオフの間は何も聞こえません。</translation>
    </message>
    <message>
        <source>The character falls silent now, and forgets what it was about to say.</source>
        <translation>すぐに黙り、言おうとしていたことも取りやめます。</translation>
    </message>
    <message>
        <source>The next one of your gallery comes on stage.</source>
        <translation>一覧の次のキャラクターがステージに出ます。</translation>
    </message>
    <message>
        <source>A photo of a person talks in place of the character, or the character again.</source>
        <translation>キャラクターの代わりに人の写真が話します。もう一度押すと元に戻ります。</translation>
    </message>
    <message>
        <source>Silence, microphone off, a neutral face, and “Be right back” for viewers of the camera. Once more, and you are back.</source>
        <translation>黙り、マイクを切り、表情を戻し、カメラの視聴者に「すぐ戻ります」を見せます。もう一度押すと戻ります。</translation>
    </message>
    <message>
        <source>Begins a recording of what viewers see and hear; once more, and it is kept.</source>
        <translation>視聴者に見え、聞こえるものの録画を始めます。もう一度押すと保存します。</translation>
    </message>
    <message>
        <source>Keeps the last seconds, while the page Output has them held.</source>
        <translation>「出力」ページで保持がオンのあいだ、直前の数秒を保存します。</translation>
    </message>
    <message>
        <source>Keeps the picture of the moment, transparent around the character.</source>
        <translation>その瞬間の画像を保存します。キャラクターの周りは透明です。</translation>
    </message>
    <message>
        <source>Expressions and gestures</source>
        <translation>表情としぐさ</translation>
    </message>
    <message>
        <source>For whom</source>
        <translation>対象</translation>
    </message>
    <message>
        <source>A character&apos;s own keys come before those for every character, while it is on stage.</source>
        <translation>ステージに出ている間は、そのキャラクター専用のキーが共通のキーより優先されます。</translation>
    </message>
    <message>
        <source>{name} (gesture)</source>
        <translation>{name}(しぐさ)</translation>
    </message>
    <message>
        <source>Other programs</source>
        <translation>ほかのプログラム</translation>
    </message>
    <message>
        <source>Control</source>
        <translation>外部からの操作</translation>
    </message>
    <message>
        <source>Lets programs of this computer that have the token press these keys over HTTP or WebSocket: a Stream Deck, scripts, a shortcut of your desktop. Other computers and web pages are shut out.</source>
        <translation>トークンを持つこのコンピューターのプログラム(Stream Deck、スクリプト、デスクトップのショートカットなど)が、HTTP か WebSocket でこれらのキーを押せるようにします。ほかのコンピューターやウェブページからは使えません。</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>ポート</translation>
    </message>
    <message>
        <source>Of 127.0.0.1. Another one is needed only where a program has taken this one.</source>
        <translation>127.0.0.1 のポートです。ほかのプログラムが使っている場合だけ変えてください。</translation>
    </message>
    <message>
        <source>Token</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>Whoever has it can press your keys and let the character speak. It lies in a file of your own.</source>
        <translation>これを持つ人は、あなたのキーを押し、キャラクターに話させることができます。あなただけが読めるファイルに保存されています。</translation>
    </message>
    <message>
        <source>Every character</source>
        <translation>すべてのキャラクター</translation>
    </message>
    <message>
        <source>Only {name}</source>
        <translation>{name} だけ</translation>
    </message>
    <message>
        <source>The talk key does nothing yet: on the page Hearing, choose to be heard only while it is held.</source>
        <translation>トークキーはまだ働きません。「聞き取り」ページで、押している間だけ聞くように設定してください。</translation>
    </message>
    <message>
        <source>Switched off.</source>
        <translation>オフです。</translation>
    </message>
    <message>
        <source>Your desktop asks you about the keys, and may choose others: its own settings show them.</source>
        <translation>キーについてデスクトップが確認し、別のキーになることもあります。デスクトップの設定で確認できます。</translation>
    </message>
    <message>
        <source>They work everywhere on this desktop ({how}).</source>
        <translation>このデスクトップのどこでも効きます({how})。</translation>
    </message>
    <message>
        <source>Programs can ask now. To try it: {command}</source>
        <translation>プログラムから使えます。試すには: {command}</translation>
    </message>
    <message>
        <source>Pressed: {action}</source>
        <translation>押されました: {action}</translation>
    </message>
</context>
<context>
    <name>Lamp</name>
    <message>
        <source>On air</source>
        <translation>配信中</translation>
    </message>
    <message>
        <source>Off air</source>
        <translation>配信オフ</translation>
    </message>
    <message>
        <source>Be right back</source>
        <translation>すぐ戻ります</translation>
    </message>
    <message>
        <source>The virtual camera is on: other programs get this picture.</source>
        <translation>仮想カメラはオンです。ほかのプログラムにこの映像が届きます。</translation>
    </message>
    <message>
        <source>The virtual camera is off: nobody but you sees this picture.</source>
        <translation>仮想カメラはオフです。この映像はあなたにしか見えません。</translation>
    </message>
    <message>
        <source>The virtual camera shows the picture “be right back”.</source>
        <translation>仮想カメラは「すぐ戻ります」の画像を映しています。</translation>
    </message>
</context>
<context>
    <name>LevelMeter</name>
    <message>
        <source>Microphone level</source>
        <translation>マイクの音量</translation>
    </message>
    <message>
        <source>Microphone level, -60 to 0 dBFS. It should reach the right third while you speak.</source>
        <translation>マイクの音量(-60~0 dBFS)。話している間、右側 3 分の 1 に届くのが目安です。</translation>
    </message>
</context>
<context>
    <name>LipSyncPanel</name>
    <message>
        <source>Lip sync</source>
        <translation>リップシンク</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Close lip sync</source>
        <translation>リップシンクを閉じる</translation>
    </message>
    <message>
        <source>When the mouth moves</source>
        <translation>口が動くタイミング</translation>
    </message>
    <message>
        <source>Move the mouth against the voice</source>
        <translation>声に対して口の動きをずらす</translation>
    </message>
    <message>
        <source>200 ms earlier</source>
        <translation>200 ms 早い</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>リセット</translation>
    </message>
    <message>
        <source>Lips ahead of the voice, as with Bluetooth speakers? Set them later. The test flashes and clicks once a second, the same way that mouth and voice go: move the slider until both fall together. It measures what speakers and screen add to what the computer knows, to about a frame ({frame_ms} ms).</source>
        <translation>Bluetooth スピーカーなどで口が声より先に動きますか? 口を遅らせてください。テストでは、口や声と同じ経路で 1 秒に 1 回、光と音が出ます。両方がそろうまでスライダーを動かしてください。コンピューターが知らないスピーカーと画面の遅れを、約 1 フレーム({frame_ms} ms)の精度で合わせられます。</translation>
    </message>
    <message>
        <source>earlier</source>
        <translation>早く</translation>
    </message>
    <message>
        <source>later</source>
        <translation>遅く</translation>
    </message>
    <message>
        <source>own model</source>
        <translation>独自モデル</translation>
    </message>
    <message>
        <source>The voice itself says when each of its sounds falls, which is exact</source>
        <translation>声自身が各音のタイミングを知らせるので正確です</translation>
    </message>
    <message>
        <source>The words are laid onto the sound{by}</source>
        <translation>文章を音声に合わせています{by}</translation>
    </message>
    <message>
        <source>The sounds are heard from the voice{by}</source>
        <translation>音声から音を聞き取っています{by}</translation>
    </message>
    <message>
        <source>The mouth opens with the loudness alone</source>
        <translation>口は音量だけに合わせて開きます</translation>
    </message>
    <message>
        <source>in time</source>
        <translation>ずれなし</translation>
    </message>
    <message>
        <source>{ms} ms later</source>
        <translation>{ms} ms 遅い</translation>
    </message>
    <message>
        <source>{ms} ms earlier</source>
        <translation>{ms} ms 早い</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>テストを止める</translation>
    </message>
    <message>
        <source>Flash + click</source>
        <translation>光と音</translation>
    </message>
    <message>
        <source>Flash and click once a second, for twelve seconds</source>
        <translation>1 秒に 1 回、12 秒間、光と音を出します</translation>
    </message>
</context>
<context>
    <name>LipsBadge</name>
    <message>
        <source>Lips</source>
        <translation>口の動き</translation>
    </message>
    <message>
        <source>exact</source>
        <translation>正確</translation>
    </message>
    <message>
        <source>text and sound</source>
        <translation>文と音</translation>
    </message>
    <message>
        <source>by ear</source>
        <translation>聞き取り</translation>
    </message>
    <message>
        <source>loudness</source>
        <translation>音量</translation>
    </message>
    <message>
        <source>Lips: {source}</source>
        <translation>口: {source}</translation>
    </message>
    <message>
        <source>Click to shift the mouth or to test lip sync.</source>
        <translation>クリックすると、口の動きをずらしたり、リップシンクをテストしたりできます。</translation>
    </message>
    <message>
        <source>Lip sync</source>
        <translation>リップシンク</translation>
    </message>
</context>
<context>
    <name>LogPage</name>
    <message>
        <source>States and problems since the start. What you said, typed or heard is not in it, and no key: you can send the report as it is.</source>
        <translation>起動してからの状態と問題です。話したこと、入力したこと、聞いたこと、キーは含まれないので、レポートはそのまま送れます。</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>レポートをコピー</translation>
    </message>
    <message>
        <source>Check this computer</source>
        <translation>このコンピューターを診断</translation>
    </message>
    <message>
        <source>Looks at every part that the show needs, as kuchipaku doctor does</source>
        <translation>kuchipaku doctor と同じく、必要な部分をすべて調べます</translation>
    </message>
    <message>
        <source>States and problems</source>
        <translation>状態と問題</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>ログ</translation>
    </message>
    <message>
        <source>Copied. Paste it where you ask for help.</source>
        <translation>コピーしました。質問する場所に貼り付けてください。</translation>
    </message>
    <message>
        <source>Looking at every part; that takes some seconds…</source>
        <translation>すべての部分を調べています。数秒かかります…</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Version</source>
        <translation>バージョン</translation>
    </message>
</context>
<context>
    <name>MicrophoneCheck</name>
    <message>
        <source>Record {seconds} s and play them back</source>
        <translation>{seconds} 秒録音して再生</translation>
    </message>
    <message>
        <source>Say something…</source>
        <translation>何か話してください…</translation>
    </message>
    <message>
        <source>Hardly anything was heard. Is it the right microphone, and is it switched on?</source>
        <translation>ほとんど聞こえませんでした。マイクは正しく選ばれ、オンになっていますか?</translation>
    </message>
    <message>
        <source>That was too loud: turn the microphone down a little.</source>
        <translation>音が大きすぎます。マイクの音量を少し下げてください。</translation>
    </message>
    <message>
        <source>This is how you sound. The loudest was {dbfs:.0f} dBFS.</source>
        <translation>あなたの声はこう聞こえます。最大音量は {dbfs:.0f} dBFS でした。</translation>
    </message>
</context>
<context>
    <name>MiniView</name>
    <message>
        <source>Kuchipaku mini view</source>
        <translation>Kuchipaku ミニ表示</translation>
    </message>
    <message>
        <source>Mini view</source>
        <translation>ミニ表示</translation>
    </message>
    <message>
        <source>The character in a small window. The menu key opens its menu, Escape closes it.</source>
        <translation>小さなウィンドウのキャラクターです。メニューキーでメニュー、Esc で閉じます。</translation>
    </message>
    <message>
        <source>Drag to move, wheel to resize, right button for more</source>
        <translation>ドラッグで移動、ホイールで大きさ、右ボタンでメニュー</translation>
    </message>
    <message>
        <source>Without background (mascot)</source>
        <translation>背景なし(マスコット)</translation>
    </message>
    <message>
        <source>Without background (needs a compositor, which does not run)</source>
        <translation>背景なし(コンポジターが動いていないため使えません)</translation>
    </message>
    <message>
        <source>Stop talking</source>
        <translation>話を止める</translation>
    </message>
    <message>
        <source>Microphone on or off</source>
        <translation>マイクのオン/オフ</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>大きく</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>小さく</translation>
    </message>
    <message>
        <source>Open the window</source>
        <translation>ウィンドウを開く</translation>
    </message>
    <message>
        <source>Close the mini view</source>
        <translation>ミニ表示を閉じる</translation>
    </message>
</context>
<context>
    <name>NewCharacter</name>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>Remove the background</source>
        <translation>背景を取り除く</translation>
    </message>
    <message>
        <source>Cut it out another way</source>
        <translation>別の方法で切り抜く</translation>
    </message>
    <message>
        <source>Find the head again</source>
        <translation>頭を探し直す</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>小さく</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>大きく</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>作成</translation>
    </message>
    <message>
        <source>Background</source>
        <translation>背景</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>頭</translation>
    </message>
    <message>
        <source>The head belongs into the box, the eyes onto its dashed line. Drag the picture, turn the wheel.</source>
        <translation>頭を枠の中に、目を破線の上に合わせます。絵をドラッグし、ホイールを回してください。</translation>
    </message>
    <message>
        <source>Mouth</source>
        <translation>口</translation>
    </message>
    <message>
        <source>New character</source>
        <translation>新しいキャラクター</translation>
    </message>
    <message>
        <source>Looking at the picture…</source>
        <translation>絵を調べています…</translation>
    </message>
    <message>
        <source>Looking for the head…</source>
        <translation>頭を探しています…</translation>
    </message>
    <message>
        <source>Cutting the character out…</source>
        <translation>キャラクターを切り抜いています…</translation>
    </message>
    <message>
        <source>There is none: the picture is cut out already.</source>
        <translation>背景はありません。すでに切り抜かれています。</translation>
    </message>
    <message>
        <source>The background is busy, so this is a guess. Look at the edges before you go on.</source>
        <translation>背景が複雑なため、推測で切り抜きました。進む前に輪郭を確認してください。</translation>
    </message>
    <message>
        <source>Removed. It was one colour, or a soft fall of colours.</source>
        <translation>取り除きました。単色、または緩やかな階調の背景でした。</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>調べています…</translation>
    </message>
    <message>
        <source>The head is where it belongs.</source>
        <translation>頭の位置は合っています。</translation>
    </message>
    <message>
        <source>It is drawn open, so it can speak.</source>
        <translation>開いた口が描かれているので、話せます。</translation>
    </message>
    <message>
        <source>Your art needs an open mouth: this one looks shut. The face opens it to what is drawn inside, so draw it open, with teeth and tongue. You may go on; its lips will hardly move.</source>
        <translation>開いた口の絵が必要ですが、この絵の口は閉じているようです。口は描かれた中身を使って開くので、歯と舌のある開いた口を描いてください。このまま進めますが、口はほとんど動きません。</translation>
    </message>
    <message>
        <source>It could not be seen. It has to be drawn open, with teeth and tongue, to speak.</source>
        <translation>口を確認できませんでした。話すには、歯と舌のある開いた口が描かれている必要があります。</translation>
    </message>
    <message>
        <source>Making the character…</source>
        <translation>キャラクターを作っています…</translation>
    </message>
</context>
<context>
    <name>NewPhoto</name>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>I may use this face</source>
        <translation>この顔を使う許可がある</translation>
    </message>
    <message>
        <source>Show the mark “AI”</source>
        <translation>「AI」と表示する</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>作成</translation>
    </message>
    <message>
        <source>Photo</source>
        <translation>写真</translation>
    </message>
    <message>
        <source>Consent</source>
        <translation>同意</translation>
    </message>
    <message>
        <source>Only your own face, or that of somebody who has agreed to speak this way. The photo stays on this computer.</source>
        <translation>自分の顔、またはこのように話すことに同意した人の顔だけを使ってください。写真はこのコンピューターの外へ出ません。</translation>
    </message>
    <message>
        <source>A photo that talks</source>
        <translation>話す写真</translation>
    </message>
    <message>
        <source>Looking for the face…</source>
        <translation>顔を探しています…</translation>
    </message>
    <message>
        <source>The face can talk.</source>
        <translation>この顔は話せます。</translation>
    </message>
</context>
<context>
    <name>ObsBar</name>
    <message>
        <source>Set up OBS</source>
        <translation>OBS を設定する</translation>
    </message>
    <message>
        <source>Makes a scene with the character in it; nothing of yours is changed</source>
        <translation>キャラクターの入ったシーンを作ります。あなたのものは何も変えません</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>Undo what was set up in OBS</source>
        <translation>OBS での設定を元に戻す</translation>
    </message>
    <message>
        <source>Takes away what was made in OBS, and nothing else</source>
        <translation>OBS に作ったものだけを取り除きます</translation>
    </message>
    <message>
        <source>OBS {version} shows the character in the scene Kuchipaku: {way}, {sources}.</source>
        <translation>OBS {version} のシーン「Kuchipaku」にキャラクターが表示されます：{way}、{sources}。</translation>
    </message>
    <message>
        <source>Setting up…</source>
        <translation>設定中…</translation>
    </message>
    <message>
        <source>OBS is not there; it is found again by itself when it starts.</source>
        <translation>OBS が起動していません。起動すると自動で見つけます。</translation>
    </message>
    <message>
        <source>OBS {version} is there; nothing of this app is in its scene collection.</source>
        <translation>OBS {version} につながっています。シーンコレクションにこのアプリのものはありません。</translation>
    </message>
    <message>
        <source>What was made in OBS is gone again.</source>
        <translation>OBS に作ったものを取り除きました。</translation>
    </message>
    <message>
        <source>There was nothing of this app in OBS.</source>
        <translation>OBS にこのアプリのものはありませんでした。</translation>
    </message>
    <message>
        <source>OBS 28 or newer has to run, with its WebSocket server switched on.</source>
        <translation>OBS 28 以降を起動し、WebSocket サーバーを有効にしておいてください。</translation>
    </message>
    <message>
        <source>“{source}” captures a screen in the same scene: keep this window away from it, or the character is seen twice.</source>
        <translation>同じシーンの「{source}」が画面をキャプチャしています。このウィンドウがそこに映らないようにしてください。キャラクターが二重に見えます。</translation>
    </message>
    <message>
        <source>“{source}” is OBS&apos;s own camera: do not start the virtual camera in OBS while it is shown.</source>
        <translation>「{source}」は OBS 自身のカメラです。表示している間は OBS の仮想カメラを開始しないでください。</translation>
    </message>
    <message>
        <source>browser source</source>
        <translation>ブラウザソース</translation>
    </message>
    <message>
        <source>media source</source>
        <translation>メディアソース</translation>
    </message>
    <message>
        <source>virtual camera</source>
        <translation>仮想カメラ</translation>
    </message>
    <message>
        <source>window capture</source>
        <translation>ウィンドウキャプチャ</translation>
    </message>
</context>
<context>
    <name>OffAir</name>
    <message>
        <source>You are off air: silence, microphone off, and “Be right back” for viewers of the camera.</source>
        <translation>配信を止めています。音声なし、マイクオフ、カメラの視聴者には「Be right back」が見えます。</translation>
    </message>
    <message>
        <source>Back on air</source>
        <translation>配信に戻る</translation>
    </message>
</context>
<context>
    <name>OnAir</name>
    <message>
        <source>THA3, live</source>
        <translation>THA3(ライブ)</translation>
    </message>
    <message>
        <source>THA3, exact</source>
        <translation>THA3(精密)</translation>
    </message>
    <message>
        <source>photo puppet</source>
        <translation>フォトパペット</translation>
    </message>
    <message>
        <source>the still picture</source>
        <translation>静止画</translation>
    </message>
    <message>
        <source>Draws now: {engine}</source>
        <translation>いま描いているもの: {engine}</translation>
    </message>
</context>
<context>
    <name>OutputPage</name>
    <message>
        <source>Output</source>
        <translation>出力</translation>
    </message>
    <message>
        <source>Virtual camera</source>
        <translation>仮想カメラ</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>カメラ</translation>
    </message>
    <message>
        <source>OBS, Discord, Zoom and browsers then see the character as a webcam, also after a restart.</source>
        <translation>OBS、Discord、Zoom、ブラウザーからウェブカメラとして見えます。再起動後も続きます。</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>デバイス</translation>
    </message>
    <message>
        <source>Where the picture goes, if there is more than one virtual camera.</source>
        <translation>仮想カメラが複数ある場合の送り先です。</translation>
    </message>
    <message>
        <source>The first that is free</source>
        <translation>最初に空いているもの</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>映像</translation>
    </message>
    <message>
        <source>1280 × 720 is what meeting programs expect. Choose it again there after a change. Frames per second: 30 from the start, up to 60 on the page Face.</source>
        <translation>会議アプリの標準は1280×720です。変更したら、アプリ側で選び直してください。フレームレートは初期値が30で、「顔」のページで60まで上げられます。</translation>
    </message>
    <message>
        <source>What you hear</source>
        <translation>あなたに聞こえる音</translation>
    </message>
    <message>
        <source>Headphones or loudspeakers</source>
        <translation>ヘッドホンまたはスピーカー</translation>
    </message>
    <message>
        <source>Off: the voice goes to the stream alone.</source>
        <translation>オフにすると、声は配信にだけ送られます。</translation>
    </message>
    <message>
        <source>Where you hear the voice.</source>
        <translation>声を聞く機器です。</translation>
    </message>
    <message>
        <source>The system&apos;s default</source>
        <translation>システムの既定</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>音量</translation>
    </message>
    <message>
        <source>Of what you hear. Stream and recordings keep theirs.</source>
        <translation>あなたに聞こえる音の音量です。配信と録画の音量は変わりません。</translation>
    </message>
    <message>
        <source>What the stream hears</source>
        <translation>配信に送る音</translation>
    </message>
    <message>
        <source>Sound for streaming software</source>
        <translation>配信ソフト用の音声</translation>
    </message>
    <message>
        <source>Plays the voice, and nothing else, into a second device too. Both play at the same moment. Your own microphone is not in it: add that in OBS.</source>
        <translation>声だけを、もう一つの機器にも流します。二つは同時に鳴ります。あなたのマイクは含まれないので、OBS で追加してください。</translation>
    </message>
    <message>
        <source>Virtual cable “Kuchipaku”</source>
        <translation>仮想ケーブル「Kuchipaku」</translation>
    </message>
    <message>
        <source>Made by the sound server while the app runs, and removed with it. OBS finds it as “Monitor of Kuchipaku”.</source>
        <translation>アプリの実行中だけサウンドサーバーに作られ、終了すると消えます。OBS では「Monitor of Kuchipaku」として見つかります。</translation>
    </message>
    <message>
        <source>A virtual cable, such as CABLE Input, VoiceMeeter Input or BlackHole: OBS listens at its other end.</source>
        <translation>CABLE Input、VoiceMeeter Input、BlackHole などの仮想ケーブルです。OBS はその反対側で受け取ります。</translation>
    </message>
    <message>
        <source>The first virtual cable that is found</source>
        <translation>最初に見つかった仮想ケーブル</translation>
    </message>
    <message>
        <source>Of what the stream gets.</source>
        <translation>配信に送る音の音量です。</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>録画</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>フォルダー</translation>
    </message>
    <message>
        <source>Where recordings, replays and screenshots are kept.</source>
        <translation>録画、リプレイ、スクリーンショットの保存先です。</translation>
    </message>
    <message>
        <source>Kuchipaku in the folder for videos</source>
        <translation>ビデオフォルダーの Kuchipaku</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>形式</translation>
    </message>
    <message>
        <source>MP4 has the background and plays everywhere. WebM is transparent around the character.</source>
        <translation>MP4 は背景つきで、どこでも再生できます。WebM はキャラクターの周りが透明です。</translation>
    </message>
    <message>
        <source>MP4 (H.264, AAC)</source>
        <translation>MP4（H.264、AAC）</translation>
    </message>
    <message>
        <source>WebM, transparent (VP9, Opus)</source>
        <translation>WebM、透明（VP9、Opus）</translation>
    </message>
    <message>
        <source>Instant replay</source>
        <translation>インスタントリプレイ</translation>
    </message>
    <message>
        <source>Holds the last seconds all the time, to keep them afterwards. Takes as much work as recording.</source>
        <translation>直前の数秒を常に保持し、あとから保存できるようにします。録画と同じだけ負荷がかかります。</translation>
    </message>
    <message>
        <source>Length of a replay</source>
        <translation>リプレイの長さ</translation>
    </message>
    <message>
        <source>So much is held in memory.</source>
        <translation>この長さだけメモリーに保持します。</translation>
    </message>
    <message>
        <source> s</source>
        <translation> 秒</translation>
    </message>
    <message>
        <source>OBS Studio</source>
        <translation>OBS Studio</translation>
    </message>
    <message>
        <source>Way</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>How OBS shows the character. It counts when OBS is set up the next time.</source>
        <translation>OBS でのキャラクターの表示方法です。次に OBS を設定するときから有効です。</translation>
    </message>
    <message>
        <source>The first that works here</source>
        <translation>ここで使える最初のもの</translation>
    </message>
    <message>
        <source>Browser source, transparent</source>
        <translation>ブラウザソース（透過）</translation>
    </message>
    <message>
        <source>Media source, transparent</source>
        <translation>メディアソース（透過）</translation>
    </message>
    <message>
        <source>This window</source>
        <translation>このウィンドウ</translation>
    </message>
    <message>
        <source>Sets captions up along with it: what the character says, word by word as it is heard.</source>
        <translation>字幕も一緒に設定します。キャラクターの言葉が、聞こえるのに合わせて単語ごとに表示されます。</translation>
    </message>
    <message>
        <source>Stay connected</source>
        <translation>接続を保つ</translation>
    </message>
    <message>
        <source>Finds OBS again by itself and keeps what was set up there working, whichever is started anew.</source>
        <translation>どちらを起動し直しても OBS を自動で見つけ、設定したものが動き続けるようにします。</translation>
    </message>
    <message>
        <source>Of OBS&apos;s WebSocket server. Left at 4455, the one in OBS&apos;s own settings counts.</source>
        <translation>OBS の WebSocket サーバーのポートです。4455 のままなら OBS 自身の設定のポートを使います。</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>パスワード</translation>
    </message>
    <message>
        <source>Of OBS&apos;s WebSocket server; asked for only where OBS&apos;s own settings cannot be read.</source>
        <translation>OBS の WebSocket サーバーのパスワードです。OBS 自身の設定を読めないときだけ必要です。</translation>
    </message>
    <message>
        <source>Browser source</source>
        <translation>ブラウザソース</translation>
    </message>
    <message>
        <source>Page and stream for OBS</source>
        <translation>OBS 用のページとストリーム</translation>
    </message>
    <message>
        <source>Shows the character without a background, over whatever lies below it in OBS. Only programs of this computer that have the address get it.</source>
        <translation>キャラクターを背景なしで、OBS で下に置いたものの上に映します。アドレスを持つこのコンピューターのプログラムだけが受け取れます。</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>アドレス</translation>
    </message>
    <message>
        <source>In OBS, add a source of the kind Browser, put this into its field URL, and set 512 × 512 there.</source>
        <translation>OBS で「ブラウザ」のソースを追加し、URL の欄に貼り付けて、幅と高さを 512 × 512 にします。</translation>
    </message>
    <message>
        <source>New address</source>
        <translation>アドレスを作り直す</translation>
    </message>
    <message>
        <source>Media source</source>
        <translation>メディアソース</translation>
    </message>
    <message>
        <source>For OBS without Browser: add a Media Source, switch Local File off there, put this into its field Input, and set Network Buffering to 0. Transparent too.</source>
        <translation>「ブラウザ」のない OBS 用です。「メディアソース」を追加し、「ローカルファイル」のチェックを外して「入力」の欄に貼り付け、「ネットワークバッファリング」を 0 にします。こちらも背景は透明です。</translation>
    </message>
    <message>
        <source>Media source, with background</source>
        <translation>メディアソース（背景あり）</translation>
    </message>
    <message>
        <source>The camera&apos;s picture as Motion JPEG, for programs that understand nothing else.</source>
        <translation>カメラと同じ映像を Motion JPEG で送ります。ほかの形式を読めないソフト用です。</translation>
    </message>
    <message>
        <source>Captions</source>
        <translation>字幕</translation>
    </message>
    <message>
        <source>Shows on the page what the character says, word by word as it is heard.</source>
        <translation>キャラクターの言葉を、聞こえるのに合わせて一語ずつページに映します。</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>ポート</translation>
    </message>
    <message>
        <source>Of 127.0.0.1. It is part of the address; change it only where another program has taken it.</source>
        <translation>127.0.0.1 のポートで、アドレスの一部です。ほかのプログラムが使っている場合だけ変えてください。</translation>
    </message>
    <message>
        <source>On the picture</source>
        <translation>映像に重ねる</translation>
    </message>
    <message>
        <source>Viewers of the camera and of recordings read what the character says, word by word.</source>
        <translation>カメラと録画を見る人に、キャラクターの言葉を一語ずつ字幕で見せます。</translation>
    </message>
    <message>
        <source>Text file</source>
        <translation>テキストファイル</translation>
    </message>
    <message>
        <source>Holds the words that are being said, and nothing in silence: for a text source of OBS with “Read from file”. Leave it empty for none.</source>
        <translation>話している言葉が入り、黙っている間は空になります。OBS のテキストソースの「ファイルからの読み取り」で使えます。使わない場合は空のままにします。</translation>
    </message>
    <message>
        <source>such as /home/me/captions.txt</source>
        <translation>例: /home/me/captions.txt</translation>
    </message>
    <message>
        <source>Other programs of this computer</source>
        <translation>このコンピューターのほかのプログラム</translation>
    </message>
    <message>
        <source>Share the picture by {way}</source>
        <translation>{way} で映像を共有</translation>
    </message>
    <message>
        <source>OBS with its Spout2 plugin then finds “Kuchipaku” as a Spout2 Capture; choose the composite mode Default there, and the character has no background.</source>
        <translation>Spout2 プラグインを入れた OBS で、Spout2 Capture として「Kuchipaku」を選べます。Composite mode を Default にすると、背景なしで映ります。</translation>
    </message>
    <message>
        <source>OBS then finds “Kuchipaku” as a Syphon Client; switch on Allow Transparency there, and the character has no background.</source>
        <translation>OBS で、Syphon クライアントとして「Kuchipaku」を選べます。「透過を許可」を有効にすると、背景なしで映ります。</translation>
    </message>
    <message>
        <source>Other programs can see the character.</source>
        <translation>ほかのプログラムからキャラクターが見えます。</translation>
    </message>
    <message>
        <source>The page is there; it costs nothing while nobody shows it.</source>
        <translation>ページを開けます。誰も映していない間は、何の負荷もかかりません。</translation>
    </message>
    <message>
        <source>{name} (virtual cable)</source>
        <translation>{name}（仮想ケーブル）</translation>
    </message>
</context>
<context>
    <name>PersonaEditor</name>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>Persona</source>
        <translation>人格</translation>
    </message>
    <message>
        <source>Greeting</source>
        <translation>あいさつ</translation>
    </message>
    <message>
        <source>When nobody can answer</source>
        <translation>誰も答えられないとき</translation>
    </message>
    <message>
        <source>What it is called, and what the wake word listens for.</source>
        <translation>呼び名です。名前で呼びかけるときにも使います。</translation>
    </message>
    <message>
        <source>Who it is and how it talks, written to it: “You are …”. Short spoken answers work best.</source>
        <translation>どんな人物で、どう話すかを、「あなたは…」のように本人に向けて書きます。短い話し言葉の返答が向いています。</translation>
    </message>
    <message>
        <source>The first thing that it says.</source>
        <translation>最初に言う言葉です。</translation>
    </message>
    <message>
        <source>Said in its voice where its brain cannot be reached.</source>
        <translation>頭脳につながらないときに、その声で言います。</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>{name} comes with the app and stays as it is. Saving makes a copy of your own.</source>
        <translation>{name} はアプリ付属のため変わりません。保存すると自分用のコピーができます。</translation>
    </message>
    <message>
        <source>{count} of {limit} letters</source>
        <translation>{count} / {limit} 文字</translation>
    </message>
    <message>
        <source>The persona is too long: shorten it to 8000 letters or fewer.</source>
        <translation>人格の説明が長すぎます。8000 文字以内にしてください。</translation>
    </message>
</context>
<context>
    <name>PhotoField</name>
    <message>
        <source>Photo</source>
        <translation>写真</translation>
    </message>
    <message>
        <source>Photos are added on the page Characters.</source>
        <translation>写真は「キャラクター」のページで追加します。</translation>
    </message>
    <message>
        <source>The first there is</source>
        <translation>最初のもの</translation>
    </message>
</context>
<context>
    <name>PlacementView</name>
    <message>
        <source>Where the head is</source>
        <translation>頭の位置</translation>
    </message>
    <message>
        <source>Arrow keys move the picture, plus and minus change its size, Shift makes larger steps.</source>
        <translation>矢印キーで絵を動かし、+ と - で大きさを変えます。Shift を押すと大きく動きます。</translation>
    </message>
</context>
<context>
    <name>Preview</name>
    <message>
        <source>Character</source>
        <translation>キャラクター</translation>
    </message>
    <message>
        <source>Live picture of the character</source>
        <translation>キャラクターのライブ映像</translation>
    </message>
</context>
<context>
    <name>ProgressCard</name>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
</context>
<context>
    <name>Rail</name>
    <message>
        <source>Pages</source>
        <translation>ページ</translation>
    </message>
</context>
<context>
    <name>Recorder</name>
    <message>
        <source>{keys}, as for every character</source>
        <translation>{keys}(全キャラクター共通)</translation>
    </message>
    <message>
        <source>Set a key…</source>
        <translation>キーを設定…</translation>
    </message>
    <message>
        <source>Press the keys… (Esc: leave)</source>
        <translation>キーを押してください…(Esc: やめる)</translation>
    </message>
</context>
<context>
    <name>RecordingBar</name>
    <message>
        <source>Screenshot</source>
        <translation>スクリーンショット</translation>
    </message>
    <message>
        <source>Keep the picture of this moment, transparent around the character</source>
        <translation>この瞬間の画像を、キャラクターの周りを透明にして保存します</translation>
    </message>
    <message>
        <source>Stop recording</source>
        <translation>録画を止める</translation>
    </message>
    <message>
        <source>Start recording</source>
        <translation>録画を始める</translation>
    </message>
    <message>
        <source>Recording…</source>
        <translation>録画中…</translation>
    </message>
    <message>
        <source>Keep the last {seconds} s</source>
        <translation>直前の {seconds} 秒を保存</translation>
    </message>
    <message>
        <source>Recording… {minutes}:{seconds:02}</source>
        <translation>録画中… {minutes}:{seconds:02}</translation>
    </message>
    <message>
        <source>Kept: {path}</source>
        <translation>保存しました：{path}</translation>
    </message>
    <message>
        <source>Kept: {path} ({seconds:.0f} s)</source>
        <translation>保存しました：{path}（{seconds:.0f} 秒）</translation>
    </message>
</context>
<context>
    <name>SecretRow</name>
    <message>
        <source>Store</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Remove: {label}</source>
        <translation>削除: {label}</translation>
    </message>
    <message>
        <source>set outside the app</source>
        <translation>アプリの外で設定済み</translation>
    </message>
    <message>
        <source>Taken from the environment variable {name}.</source>
        <translation>環境変数 {name} の値を使っています。</translation>
    </message>
    <message>
        <source>A key is kept in the system&apos;s credential store.</source>
        <translation>キーはシステムの資格情報ストアに保存されています。</translation>
    </message>
    <message>
        <source>Paste the key here</source>
        <translation>ここにキーを貼り付け</translation>
    </message>
</context>
<context>
    <name>SizeRow</name>
    <message>
        <source>{width} × {height}</source>
        <translation>{width} × {height}</translation>
    </message>
</context>
<context>
    <name>SoundOutlook</name>
    <message>
        <source>Level of the voice</source>
        <translation>声のレベル</translation>
    </message>
    <message>
        <source>Level of the voice at this device, -60 to 0 dBFS.</source>
        <translation>この機器での声のレベル（-60～0 dBFS）。</translation>
    </message>
    <message>
        <source>Test tone</source>
        <translation>テスト音</translation>
    </message>
    <message>
        <source>{device} is a virtual cable. As microphone of OBS, Discord or Zoom choose: {other_end}.</source>
        <translation>{device} は仮想ケーブルです。OBS、Discord、Zoom ではマイクとして次を選んでください：{other_end}。</translation>
    </message>
    <message>
        <source>Plays on {device}.</source>
        <translation>{device} で再生しています。</translation>
    </message>
    <message>
        <source>Pictures and the other device follow its clock.</source>
        <translation>映像ともう一つの機器は、この機器の時計に従います。</translation>
    </message>
    <message>
        <source>{ms} ms after the other device.</source>
        <translation>もう一つの機器より {ms} ms 遅れています。</translation>
    </message>
    <message>
        <source>Its clock runs {ppm:+d} millionths against the pictures; that is made up for.</source>
        <translation>時計のずれは映像に対して {ppm:+d} ppm で、補正されています。</translation>
    </message>
    <message>
        <source>It ran dry {count} times.</source>
        <translation>音切れ {count} 回。</translation>
    </message>
</context>
<context>
    <name>SpeechTest</name>
    <message>
        <source>Hello! This is how I sound. Pretty good, isn&apos;t it?</source>
        <translation>Hello! This is how I sound. Pretty good, isn&apos;t it?</translation>
    </message>
    <message>
        <source>Test sentence</source>
        <translation>テスト文</translation>
    </message>
    <message>
        <source>Say a test sentence</source>
        <translation>テスト文を話す</translation>
    </message>
</context>
<context>
    <name>StageBar</name>
    <message>
        <source>Background</source>
        <translation>背景</translation>
    </message>
    <message>
        <source>What the character stands before, here and for viewers</source>
        <translation>キャラクターの背景(ここでも視聴者にも)</translation>
    </message>
    <message>
        <source>Soft light</source>
        <translation>やわらかな光</translation>
    </message>
    <message>
        <source>Transparent</source>
        <translation>透明</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>色</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>映像</translation>
    </message>
    <message>
        <source>Chroma green</source>
        <translation>クロマキー用の緑</translation>
    </message>
    <message>
        <source>Colour of the background</source>
        <translation>背景の色</translation>
    </message>
    <message>
        <source>Choose the colour of the background</source>
        <translation>背景の色を選ぶ</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>選ぶ…</translation>
    </message>
    <message>
        <source>Picture of the background</source>
        <translation>背景の画像</translation>
    </message>
    <message>
        <source>Size of the character</source>
        <translation>キャラクターの大きさ</translation>
    </message>
    <message>
        <source>Size of the character (the wheel over the stage; a drag moves it)</source>
        <translation>キャラクターの大きさ(ステージ上のホイール。ドラッグで移動)</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>リセット</translation>
    </message>
    <message>
        <source>Reset size and place</source>
        <translation>大きさと位置を戻す</translation>
    </message>
    <message>
        <source>Put the character back to its place (double click on the stage, or Home)</source>
        <translation>キャラクターを元の位置に戻す(ステージをダブルクリック、または Home)</translation>
    </message>
    <message>
        <source>Safe area</source>
        <translation>セーフエリア</translation>
    </message>
    <message>
        <source>Safe area: show the frame within which nothing is cut off on any screen. Only you see it.</source>
        <translation>セーフエリア: どの画面でも切れない範囲の枠を表示します。見えるのはあなただけです。</translation>
    </message>
    <message>
        <source>Mini view</source>
        <translation>ミニ表示</translation>
    </message>
    <message>
        <source>Mini view: show the character in a small window above all others</source>
        <translation>ミニ表示: 小さなウィンドウにして、いちばん手前に表示します</translation>
    </message>
    <message>
        <source>Choose a picture for the background</source>
        <translation>背景の画像を選ぶ</translation>
    </message>
    <message>
        <source>Pictures (*.png *.jpg *.jpeg *.webp)</source>
        <translation>画像 (*.png *.jpg *.jpeg *.webp)</translation>
    </message>
</context>
<context>
    <name>StageChip</name>
    <message>
        <source>off</source>
        <translation>オフ</translation>
    </message>
    <message>
        <source>ready</source>
        <translation>準備完了</translation>
    </message>
    <message>
        <source>working</source>
        <translation>動作中</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>開始中</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失敗</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}: {state}</translation>
    </message>
    <message>
        <source>Last step: {ms:.0f} ms</source>
        <translation>直前の処理: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>Click to see what to do.</source>
        <translation>クリックすると対処方法を表示します。</translation>
    </message>
</context>
<context>
    <name>StagePage</name>
    <message>
        <source>Stage</source>
        <translation>ステージ</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>Switch the microphone on or off (M)</source>
        <translation>マイクのオン/オフ(M)</translation>
    </message>
    <message>
        <source>not available</source>
        <translation>使えません</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>カメラ</translation>
    </message>
    <message>
        <source>Show the character as a webcam to other programs (C)</source>
        <translation>キャラクターをウェブカメラとしてほかのプログラムに見せる(C)</translation>
    </message>
    <message>
        <source>Stop talking</source>
        <translation>話を止める</translation>
    </message>
    <message>
        <source>Fall silent now (Esc; Ctrl+. also while typing)</source>
        <translation>すぐに黙る(Esc。入力中は Ctrl+.)</translation>
    </message>
    <message>
        <source>Character</source>
        <translation>キャラクター</translation>
    </message>
    <message>
        <source>Who you talk with</source>
        <translation>話し相手</translation>
    </message>
    <message>
        <source>Type a message…</source>
        <translation>メッセージを入力…</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>メッセージ</translation>
    </message>
    <message>
        <source>Type a message (T); Enter sends, Escape leaves the field</source>
        <translation>メッセージを入力(T)。Enter で送信、Esc で入力欄を離れます</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>送信</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>送信(Enter)</translation>
    </message>
    <message>
        <source>thinking</source>
        <translation>考え中</translation>
    </message>
    <message>
        <source>listening</source>
        <translation>聞いています</translation>
    </message>
    <message>
        <source>understanding</source>
        <translation>理解中</translation>
    </message>
    <message>
        <source>speaking</source>
        <translation>話し中</translation>
    </message>
</context>
<context>
    <name>StageView</name>
    <message>
        <source>Live picture of the character. Arrow keys move it, plus and minus zoom, Home puts it back.</source>
        <translation>キャラクターのライブ映像。矢印キーで移動、+ と - で拡大縮小、Home で元に戻ります。</translation>
    </message>
    <message>
        <source>{name} is waking up…</source>
        <translation>{name} が目を覚ましています…</translation>
    </message>
    <message>
        <source>No picture: the face is not running</source>
        <translation>映像なし: 顔が動いていません</translation>
    </message>
    <message>
        <source>{fps:.0f} fps · {dropped} dropped</source>
        <translation>{fps:.0f} fps · 欠落 {dropped}</translation>
    </message>
    <message>
        <source>Frames per second, and frames that came too late in the last minute ({all} in all)</source>
        <translation>1 秒あたりのフレーム数と、直近 1 分間に間に合わなかったフレーム(合計 {all})</translation>
    </message>
    <message>
        <source>LIVE</source>
        <translation>ライブ</translation>
    </message>
    <message>
        <source>EXACT</source>
        <translation>精密</translation>
    </message>
    <message>
        <source>Live tier: the face plays what was prepared for this character (fast, on the CPU)</source>
        <translation>ライブ: このキャラクター用に用意した画像を使います(高速、CPU)</translation>
    </message>
    <message>
        <source>Exact tier: every frame comes from the full networks</source>
        <translation>精密: 毎フレームを完全なネットワークで描きます</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Hearing</source>
        <translation>聞き取り</translation>
    </message>
    <message>
        <source>Microphone and speech detection</source>
        <translation>マイクと音声検出</translation>
    </message>
    <message>
        <source>Whisper</source>
        <translation>Whisper</translation>
    </message>
    <message>
        <source>Speech to text</source>
        <translation>音声の文字化</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>頭脳</translation>
    </message>
    <message>
        <source>Thinks of the answer</source>
        <translation>返答を考える</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>Speaks the answer</source>
        <translation>返答を話す</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>顔</translation>
    </message>
    <message>
        <source>Draws the character</source>
        <translation>キャラクターを描く</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>カメラ</translation>
    </message>
    <message>
        <source>Virtual camera for streaming software</source>
        <translation>配信ソフト用の仮想カメラ</translation>
    </message>
</context>
<context>
    <name>TestCardButton</name>
    <message>
        <source>Test card</source>
        <translation>テストカード</translation>
    </message>
    <message>
        <source>Colour bars and a counter of frames instead of the character, to set up the programs that show the camera.</source>
        <translation>キャラクターの代わりにカラーバーとフレームカウンターを映します。カメラを表示するアプリの設定に使います。</translation>
    </message>
</context>
<context>
    <name>TextField</name>
    <message>
        <source>Choose a folder…</source>
        <translation>フォルダーを選ぶ…</translation>
    </message>
    <message>
        <source>Choose a folder for: {label}</source>
        <translation>フォルダーを選ぶ: {label}</translation>
    </message>
    <message>
        <source>In force is still “{value}”.</source>
        <translation>今も「{value}」が有効です。</translation>
    </message>
    <message>
        <source>It is still empty.</source>
        <translation>今も空欄のままです。</translation>
    </message>
</context>
<context>
    <name>ThresholdField</name>
    <message>
        <source>Loudness</source>
        <translation>音量</translation>
    </message>
    <message>
        <source>Speech</source>
        <translation>声らしさ</translation>
    </message>
</context>
<context>
    <name>TokenRow</name>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy: {name}</source>
        <translation>コピー: {name}</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>新しいトークン</translation>
    </message>
    <message>
        <source>Programs that have the old one are shut out</source>
        <translation>古いトークンを持つプログラムは使えなくなります</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>コピーしました</translation>
    </message>
</context>
<context>
    <name>Tray</name>
    <message>
        <source>Show the window</source>
        <translation>ウィンドウを表示</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>マイク</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>カメラ</translation>
    </message>
    <message>
        <source>Stop talking</source>
        <translation>話を止める</translation>
    </message>
    <message>
        <source>Panic: silence and “be right back”</source>
        <translation>緊急停止: 黙って「すぐ戻ります」を表示</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>Hide the window</source>
        <translation>ウィンドウを隠す</translation>
    </message>
</context>
<context>
    <name>TryOutChat</name>
    <message>
        <source>Say something, and hear in writing how the persona answers.</source>
        <translation>何か言うと、その人格がどう答えるかを文字で見られます。</translation>
    </message>
    <message>
        <source>Try it: type a message…</source>
        <translation>試す: メッセージを入力…</translation>
    </message>
    <message>
        <source>Message to try the persona with</source>
        <translation>人格を試すためのメッセージ</translation>
    </message>
    <message>
        <source>Ask (Enter)</source>
        <translation>尋ねる(Enter)</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>尋ねる</translation>
    </message>
    <message>
        <source>Start over</source>
        <translation>最初から</translation>
    </message>
    <message>
        <source>Forget what was said in this try-out</source>
        <translation>この試し会話の内容を忘れる</translation>
    </message>
    <message>
        <source>Try it out</source>
        <translation>試してみる</translation>
    </message>
    <message>
        <source>You</source>
        <translation>あなた</translation>
    </message>
</context>
<context>
    <name>TurnBar</name>
    <message>
        <source>{seconds:.1f} s</source>
        <translation>{seconds:.1f} 秒</translation>
    </message>
    <message>
        <source>You had finished: {ms:.0f} ms</source>
        <translation>話し終わりの判定: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>Brain, first word: {ms:.0f} ms</source>
        <translation>頭脳、最初の言葉: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>Voice, first sentence: {ms:.0f} ms</source>
        <translation>声、最初の文: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>Loudspeaker: {ms:.0f} ms</source>
        <translation>スピーカー: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>From Enter to the first sound: {ms:.0f} ms</source>
        <translation>Enter から最初の音まで: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>From your last word to the first sound: {ms:.0f} ms</source>
        <translation>話し終わりから最初の音まで: {ms:.0f} ms</translation>
    </message>
    <message>
        <source>The brain began early: its first word was there after {ms:.0f} ms.</source>
        <translation>頭脳は先に考えはじめ、最初の言葉は {ms:.0f} ms で出ました。</translation>
    </message>
</context>
<context>
    <name>VoicePage</name>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>Try it</source>
        <translation>試す</translation>
    </message>
    <message>
        <source>Who speaks</source>
        <translation>話すのは</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>Piper is built in and needs no network. It speaks too where a server cannot be reached.</source>
        <translation>Piper は内蔵で、ネットワークは不要です。サーバーにつながらないときも代わりに話します。</translation>
    </message>
    <message>
        <source>A server if one is set, else Piper</source>
        <translation>設定があればサーバー、なければ Piper</translation>
    </message>
    <message>
        <source>Piper (built in)</source>
        <translation>Piper(内蔵)</translation>
    </message>
    <message>
        <source>Kokoro</source>
        <translation>Kokoro</translation>
    </message>
    <message>
        <source>AllTalk</source>
        <translation>AllTalk</translation>
    </message>
    <message>
        <source>A server with /v1/audio/speech</source>
        <translation>/v1/audio/speech のあるサーバー</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>サーバー</translation>
    </message>
    <message>
        <source>AllTalk: http://127.0.0.1:7851 unless you changed it. Others: the address up to /v1.</source>
        <translation>AllTalk は、変更していなければ http://127.0.0.1:7851 です。ほかは /v1 までのアドレスを入れます。</translation>
    </message>
    <message>
        <source>Voice of the server</source>
        <translation>サーバーの声</translation>
    </message>
    <message>
        <source>kuchipaku voices lists them. Empty takes the server&apos;s own.</source>
        <translation>kuchipaku voices で一覧できます。空欄ならサーバーの既定の声です。</translation>
    </message>
    <message>
        <source>Model of the server</source>
        <translation>サーバーのモデル</translation>
    </message>
    <message>
        <source>For servers that have several, such as “kokoro”.</source>
        <translation>モデルが複数あるサーバー用です(「kokoro」など)。</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>Only where the server asks for one.</source>
        <translation>サーバーが求める場合だけ必要です。</translation>
    </message>
    <message>
        <source>RVC voice</source>
        <translation>RVC の声</translation>
    </message>
    <message>
        <source>AllTalk 2: a voice of its RVC list, laid over the other one.</source>
        <translation>AllTalk 2: RVC 一覧の声を、もう一つの声に重ねます。</translation>
    </message>
    <message>
        <source>RVC pitch</source>
        <translation>RVC の高さ</translation>
    </message>
    <message>
        <source>Half tones by which RVC shifts the voice.</source>
        <translation>RVC が声をずらす半音の数です。</translation>
    </message>
    <message>
        <source>How it speaks</source>
        <translation>話し方</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速さ</translation>
    </message>
    <message>
        <source>1 is usual; 1.2 is a fifth faster.</source>
        <translation>1 が標準、1.2 は 2 割速くなります。</translation>
    </message>
    <message>
        <source>As each sentence is written</source>
        <translation>文の文字に合わせる</translation>
    </message>
    <message>
        <source>English</source>
        <translation>英語</translation>
    </message>
    <message>
        <source>Japanese</source>
        <translation>日本語</translation>
    </message>
    <message>
        <source>Hindi</source>
        <translation>ヒンディー語</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>Usually the writing of each sentence tells. The built-in voice speaks English.</source>
        <translation>ふつうは各文の文字で決まります。内蔵の声は英語を話します。</translation>
    </message>
</context>
<context>
    <name>WindowPage</name>
    <message>
        <source>Window</source>
        <translation>ウィンドウ</translation>
    </message>
    <message>
        <source>Looks</source>
        <translation>見た目</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>配色</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>システムに合わせる</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>Size of the text</source>
        <translation>文字の大きさ</translation>
    </message>
    <message>
        <source>1.5 is half as large again.</source>
        <translation>1.5 は 1.5 倍の大きさです。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>Of this window, from its next start on.</source>
        <translation>このウィンドウの言語です。次の起動から変わります。</translation>
    </message>
    <message>
        <source>Place and start</source>
        <translation>位置と起動</translation>
    </message>
    <message>
        <source>Always on top</source>
        <translation>常に手前に表示</translation>
    </message>
    <message>
        <source>Keep this window above those of other programs.</source>
        <translation>このウィンドウをほかのプログラムより手前に保ちます。</translation>
    </message>
    <message>
        <source>Start minimised</source>
        <translation>最小化して起動</translation>
    </message>
    <message>
        <source>Start as an icon in the tray, or in the task bar where there is no tray.</source>
        <translation>トレイのアイコンとして起動します。トレイがなければタスクバーに入ります。</translation>
    </message>
    <message>
        <source>Show the first steps again</source>
        <translation>「はじめに」をもう一度表示</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message>
        <source>Talk</source>
        <translation>話す</translation>
    </message>
    <message>
        <source>Microphone off and on</source>
        <translation>マイクのオン/オフ</translation>
    </message>
    <message>
        <source>Stop talking</source>
        <translation>話を止める</translation>
    </message>
    <message>
        <source>Next character</source>
        <translation>次のキャラクター</translation>
    </message>
    <message>
        <source>Drawing or photo</source>
        <translation>絵と写真の切り替え</translation>
    </message>
    <message>
        <source>Panic</source>
        <translation>緊急停止</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>録画</translation>
    </message>
    <message>
        <source>Instant replay</source>
        <translation>インスタントリプレイ</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>スクリーンショット</translation>
    </message>
</context>
<context>
    <name>_Portrait</name>
    <message>
        <source>Portrait</source>
        <translation>肖像</translation>
    </message>
</context>
<context>
    <name>expressions</name>
    <message>
        <source>Neutral</source>
        <translation>ふつう</translation>
    </message>
    <message>
        <source>Happy</source>
        <translation>うれしい</translation>
    </message>
    <message>
        <source>Sad</source>
        <translation>悲しい</translation>
    </message>
    <message>
        <source>Angry</source>
        <translation>怒り</translation>
    </message>
    <message>
        <source>Surprised</source>
        <translation>驚き</translation>
    </message>
    <message>
        <source>Relaxed</source>
        <translation>くつろぎ</translation>
    </message>
    <message>
        <source>Shy</source>
        <translation>照れ</translation>
    </message>
    <message>
        <source>Wink</source>
        <translation>ウインク</translation>
    </message>
    <message>
        <source>Sleepy</source>
        <translation>眠い</translation>
    </message>
    <message>
        <source>Smug</source>
        <translation>得意げ</translation>
    </message>
    <message>
        <source>Admiration</source>
        <translation>感心</translation>
    </message>
    <message>
        <source>Amusement</source>
        <translation>愉快</translation>
    </message>
    <message>
        <source>Anger</source>
        <translation>怒り</translation>
    </message>
    <message>
        <source>Annoyance</source>
        <translation>いらいら</translation>
    </message>
    <message>
        <source>Approval</source>
        <translation>賛成</translation>
    </message>
    <message>
        <source>Caring</source>
        <translation>思いやり</translation>
    </message>
    <message>
        <source>Confusion</source>
        <translation>困惑</translation>
    </message>
    <message>
        <source>Curiosity</source>
        <translation>好奇心</translation>
    </message>
    <message>
        <source>Desire</source>
        <translation>憧れ</translation>
    </message>
    <message>
        <source>Disappointment</source>
        <translation>がっかり</translation>
    </message>
    <message>
        <source>Disapproval</source>
        <translation>不賛成</translation>
    </message>
    <message>
        <source>Disgust</source>
        <translation>嫌悪</translation>
    </message>
    <message>
        <source>Embarrassment</source>
        <translation>恥ずかしい</translation>
    </message>
    <message>
        <source>Excitement</source>
        <translation>わくわく</translation>
    </message>
    <message>
        <source>Fear</source>
        <translation>恐れ</translation>
    </message>
    <message>
        <source>Gratitude</source>
        <translation>感謝</translation>
    </message>
    <message>
        <source>Grief</source>
        <translation>悲嘆</translation>
    </message>
    <message>
        <source>Joy</source>
        <translation>喜び</translation>
    </message>
    <message>
        <source>Love</source>
        <translation>愛情</translation>
    </message>
    <message>
        <source>Nervousness</source>
        <translation>緊張</translation>
    </message>
    <message>
        <source>Optimism</source>
        <translation>前向き</translation>
    </message>
    <message>
        <source>Pride</source>
        <translation>誇り</translation>
    </message>
    <message>
        <source>Realization</source>
        <translation>気づき</translation>
    </message>
    <message>
        <source>Relief</source>
        <translation>安堵</translation>
    </message>
    <message>
        <source>Remorse</source>
        <translation>後悔</translation>
    </message>
    <message>
        <source>Sadness</source>
        <translation>悲しみ</translation>
    </message>
    <message>
        <source>Surprise</source>
        <translation>驚き</translation>
    </message>
</context>
<context>
    <name>pages</name>
    <message>
        <source>Stage</source>
        <translation>ステージ</translation>
    </message>
    <message>
        <source>Characters</source>
        <translation>キャラクター</translation>
    </message>
    <message>
        <source>History</source>
        <translation>履歴</translation>
    </message>
    <message>
        <source>Hearing</source>
        <translation>聞き取り</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>頭脳</translation>
    </message>
    <message>
        <source>Voice</source>
        <translation>声</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>顔</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>出力</translation>
    </message>
    <message>
        <source>Hotkeys</source>
        <translation>ホットキー</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>ウィンドウ</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>ログ</translation>
    </message>
</context>
<context>
    <name>parameters</name>
    <message>
        <source>Troubled</source>
        <translation>困り</translation>
    </message>
    <message>
        <source>Angry</source>
        <translation>怒り</translation>
    </message>
    <message>
        <source>Lowered</source>
        <translation>下げる</translation>
    </message>
    <message>
        <source>Raised</source>
        <translation>上げる</translation>
    </message>
    <message>
        <source>Happy</source>
        <translation>うれしい</translation>
    </message>
    <message>
        <source>Serious</source>
        <translation>真剣</translation>
    </message>
    <message>
        <source>Shut</source>
        <translation>閉じる</translation>
    </message>
    <message>
        <source>Shut with a smile</source>
        <translation>笑って閉じる</translation>
    </message>
    <message>
        <source>Wide open</source>
        <translation>見開く</translation>
    </message>
    <message>
        <source>Relaxed</source>
        <translation>くつろぎ</translation>
    </message>
    <message>
        <source>Unimpressed</source>
        <translation>冷めた</translation>
    </message>
    <message>
        <source>Lower lid raised</source>
        <translation>下まぶたを上げる</translation>
    </message>
    <message>
        <source>Small iris</source>
        <translation>瞳を小さく</translation>
    </message>
    <message>
        <source>Open: ah</source>
        <translation>開く: あ</translation>
    </message>
    <message>
        <source>Open: ee</source>
        <translation>開く: い</translation>
    </message>
    <message>
        <source>Open: oo</source>
        <translation>開く: う</translation>
    </message>
    <message>
        <source>Open: eh</source>
        <translation>開く: え</translation>
    </message>
    <message>
        <source>Open: oh</source>
        <translation>開く: お</translation>
    </message>
    <message>
        <source>Triangle</source>
        <translation>三角</translation>
    </message>
    <message>
        <source>Corner lowered</source>
        <translation>口角を下げる</translation>
    </message>
    <message>
        <source>Corner raised</source>
        <translation>口角を上げる</translation>
    </message>
    <message>
        <source>Smirk</source>
        <translation>にやり</translation>
    </message>
    <message>
        <source>Up and down</source>
        <translation>上下</translation>
    </message>
    <message>
        <source>To the side</source>
        <translation>左右</translation>
    </message>
    <message>
        <source>Head up and down</source>
        <translation>頭の上下</translation>
    </message>
    <message>
        <source>Head to the side</source>
        <translation>頭の左右</translation>
    </message>
    <message>
        <source>Head tilted</source>
        <translation>頭の傾き</translation>
    </message>
    <message>
        <source>Body to the side</source>
        <translation>体の向き</translation>
    </message>
    <message>
        <source>Body tilted</source>
        <translation>体の傾き</translation>
    </message>
    <message>
        <source>Breath</source>
        <translation>呼吸</translation>
    </message>
    <message>
        <source>Brows</source>
        <translation>眉</translation>
    </message>
    <message>
        <source>Eyes</source>
        <translation>目</translation>
    </message>
    <message>
        <source>Gaze</source>
        <translation>視線</translation>
    </message>
    <message>
        <source>Mouth</source>
        <translation>口</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>頭</translation>
    </message>
    <message>
        <source>Body</source>
        <translation>体</translation>
    </message>
    <message>
        <source>{name}, left</source>
        <translation>{name}(左)</translation>
    </message>
    <message>
        <source>{name}, right</source>
        <translation>{name}(右)</translation>
    </message>
</context>
</TS>
