"""Common Hindi words as people type them in chats, with their Devanagari. Data only, written for this project."""

from __future__ import annotations

WORDS = """
मैं mai; मुझे mujhe muje mujhey; मुझको mujhko; मेरा mera meraa; मेरी meri meree; हम hum ham
हमें hame humein hamein hume; हमारा hamara humara; हमारी hamari humari; हमारे hamare humare; तुम tum tm
तुम्हें tumhe tumhein tumhen; तुम्हारा tumhara; तुम्हारी tumhari; तुम्हारे tumhare; तू tu; तुझे tujhe tuje
तुझको tujhko; तेरा tera; तेरी teri; तेरे tere; आप aap ap; आपका aapka apka; आपकी aapki apki; आपके aapke apke
आपको aapko apko; आपने aapne; मैंने maine mene; तूने tune_ tuney; तुमने tumne; हमने humne hamne; उसने usne; इसने isne
वो wo vo woh voh; यह yeh; ये ye; उसे usey; उसका uska; उसकी uski; उसके uske; उसको usko; इसका iska; इसकी iski
इसके iske; इसको isko; इसलिए isliye islie; उनका unka; उनकी unki; उनके unke; उनको unko; उन्हें unhe unhein; इनका inka
इनकी inki; इनके inke; इनको inko; अपना apna; अपनी apni; अपने apne; खुद khud; कौन kaun kon; किसने kisne; किसे kise
किसका kiska; किसकी kiski; किसको kisko; किसी kisi; कोई koi; कुछ kuch kuchh kuchch; सब sab; सबको sabko; सबसे sabse
सारा saara sara_; सारे saare; सारी saari; दोनों dono donon; क्या kya kyaa kia; क्यों kyun kyu kyon kyo
क्योंकि kyunki kyuki kyonki kyunkii; कैसे kaise kese; कैसा kaisa kesa; कैसी kaisi; कहाँ kahan kaha kahaan; कब kab
कितना kitna; कितने kitne; कितनी kitni; किधर kidhar; जहाँ jahan jaha; वहाँ wahan waha vahan; यहाँ yahan yaha
इधर idhar; उधर udhar; जैसे jaise jese; जैसा jaisa; ऐसे aise ese; ऐसा aisa esa; ऐसी aisi; वैसे waise vaise wese
वैसा waisa; जितना jitna; उतना utna; इतना itna; इतने itne; इतनी itni; है hai h hei; हैं hain hein
हूँ hoon hun hu hoo; हो ho; था tha; थी thi; थे thay; होगा hoga; होगी hogi; होंगे honge; होता hota; होती hoti
होते hote; होना hona; होने hone_; हुआ hua; हुई hui; हुए hue_ huye; रहा raha rha; रही rahi rhi; रहे rahe rhe
रहो raho; रहना rehna rahna; रहता rehta rahta; रहती rehti; रहते rehte; सकता sakta; सकती sakti; सकते sakte; सका saka
सके sake_; सको sako; चाहिए chahiye chaiye chahie; चाहता chahta; चाहती chahti; चाहते chahte; चाहो chaho; गया gaya gya
गई gayi gai gyi; गए gaye gae; गये gaaye; जा ja jaa; जाओ jao; जाना jana jaana; जाने jane_ jaane; जाता jata jaata
जाती jati jaati; जाते jate jaate; जाऊँगा jaunga jaaunga; जाऊँगी jaungi; जाएगा jayega jaega jaayega
जाएगी jayegi jaayegi; जाएंगे jayenge jaenge; जाऊँ jaun jau; आ aa; आओ aao; आना aana ana_; आने aane; आता aata ata
आती aati; आते aate; आया aaya; आयी aayi; आए aaye aae; आएगा aayega aaega; आएगी aayegi; आऊँगा aaunga aunga
आऊँगी aaungi; आइए aaiye aaie; जाइए jaiye; किया kiya; की ki; कीजिए kijiye; करके karke; कर kar; दिया diya; दी di_
दिए diye; दो do_; दे de_; देना dena; देता deta; देती deti; देते dete; दूँगा dunga doonga; दूँगी dungi; देगा dega
देगी degi; दीजिए dijiye; दूँ dun_ doon; लिया liya; ली li_; लिए liye lie_; लो lo_; ले le_; लेना lena; लेता leta
लेती leti; लेते lete; लूँगा lunga loonga; लेगा lega_; लीजिए lijiye; लूँ lun_; का ka; के ke; को ko; से se; पे pe
तक tak; तो toh; भी bhi bhee; ना na; नहीं nahi nahin nai nhi nahii; मत mat_; न n_; हाँ haan han haa; जी ji jee
और aur; या ya; लेकिन lekin; मगर magar; पर par; अगर agar; अब ab; अभी abhi; तब tab_; जब jab_; फिर phir fir; आज aaj
कल kal; परसों parso parson; सुबह subah; शाम shaam sham; रात raat; दिन din_; साल saal; महीना mahina; हफ्ता hafta
बार baar; बाद baad; पहले pehle pahle; पहला pehla; पहली pehli; हमेशा hamesha humesha; कभी kabhi; जल्दी jaldi; देर der
धीरे dheere dhire; ज़रा zara; थोड़ा thoda thora; थोड़ी thodi; थोड़े thode; बहुत bahut bohot bahot bhot
ज़्यादा zyada jyada zyaada; कम kam_; काफी kaafi; बस bas; सिर्फ sirf; बिल्कुल bilkul; शायद shayad shayd
ज़रूर zaroor zarur jarur jaroor; सच sach; सच्ची sachi sacchi; झूठ jhooth jhuth; मतलब matlab mtlb; वरना warna varna
ताकि taaki taki; चूँकि chunki; यानी yaani yani; अच्छा accha acha achha achcha; अच्छी acchi achi achhi
अच्छे acche ache_ achhe; बुरा bura; बुरी buri; बुरे bure; बड़ा bada bara_; बड़ी badi; बड़े bade_; छोटा chota chhota
छोटी choti chhoti; छोटे chote chhote; नया naya; नई nayi; नए naye; पुराना purana; पुरानी purani; सही sahi
ग़लत galat ghalat; ठीक theek thik tik_; खराब kharab; मस्त mast_; बेकार bekar bekaar; पागल pagal paagal; खुश khush
खुशी khushi; दुख dukh; प्यार pyar pyaar; प्यारा pyara pyaara; प्यारी pyari; इश्क़ ishq; दिल dil; दिमाग dimag dimaag
मन mann; जान jaan; ज़िंदगी zindagi jindagi; दुनिया duniya; सपना sapna; सपने sapne; वक़्त waqt vaqt; यार yaar yr
दोस्त dost; दोस्तों doston dosto; भाई bhai bhaai; भैया bhaiya bhaiyya; दीदी didi; बहन behen bahen behan; माँ maa
मम्मी mummy_ mummi; पापा papa_; बेटा beta_; बेटी beti; बच्चा baccha bachcha bacha; बच्चे bacche bachche bache
लड़का ladka; लड़की ladki; लड़के ladke; लोग log_; लोगों logon logo_; आदमी aadmi; औरत aurat; पति pati_; पत्नी patni
शादी shaadi shadi; घर ghar; बाहर bahar baahar; अंदर andar; ऊपर upar oopar; नीचे neeche niche_; आगे aage
पीछे peeche piche; पास paas; दूर door_ dur; साथ saath sath; सामने saamne samne; बीच beech bich; तरफ taraf; जगह jagah
रास्ता raasta rasta; शहर shehar shahar; गाँव gaon; देश desh; खाना khana khaana; पानी paani pani; चाय chai chaay
दूध doodh dudh; रोटी roti; चावल chawal chaval; दाल daal dal_; सब्ज़ी sabzi sabji; मिठाई mithai; नमक namak
भूख bhookh bhukh; प्यास pyaas; नींद neend nind; काम kaam; पैसा paisa; पैसे paise; रुपये rupaye rupaiye; बात baat
बातें baatein baaten; चीज़ cheez chiz; चीज़ें cheezein; नाम naam; कहानी kahani; गाना gaana gana; गाने gaane gane
खेल khel; किताब kitab kitaab; पढ़ाई padhai padhaai; परीक्षा pariksha; सवाल sawal sawaal; जवाब jawab jawaab
मदद madad; मौका mauka; मज़ा maza mazaa; मज़े maze_ mazey; हाल haal; तबियत tabiyat tabiyet; गुस्सा gussa; डर dar darr
शर्म sharm; मुश्किल mushkil; आसान aasan aasaan; ज़रूरत zaroorat zarurat jarurat; कोशिश koshish; उम्मीद umeed ummeed
याद yaad; पता pata; मालूम maloom malum; समझ samajh samaj; सोच soch; देख dekh; सुन sun_; बोल bol; चल chal; रुक ruk
बैठ baith; उठ uth; सो so_; खा kha; पी pi_ pee_; मिल mil; लग lag_; बता bata; कह keh; पूछ puch poochh; चलो chalo
चलिए chaliye; अरे arre arey; ओह oh_; वाह wah waah; हाय haye haaye; नमस्ते namaste namastey; नमस्कार namaskar
धन्यवाद dhanyavaad dhanyavad dhanyawad; शुक्रिया shukriya; माफ maaf; माफ़ी maafi; कृपया kripya; अलविदा alvida
स्वागत swagat; बधाई badhai; मुबारक mubarak; जन्मदिन janamdin janmdin; त्योहार tyohar; दिवाली diwali; होली holi
मौसम mausam; बारिश baarish barish; धूप dhoop; ठंड thand thandi_; ठंडा thanda; ठंडी thandi; गर्मी garmi; गरम garam
सर्दी sardi; सूरज suraj; चाँद chaand chand; आसमान aasman; फूल phool; पेड़ ped; कुत्ता kutta; बिल्ली billi; गाय gaay
हाथी haathi; हाथ haath hath; पैर pair_; आँख aankh; आँखें aankhein ankhen; मुँह munh muh; सिर sar_; बाल baal
कपड़े kapde; रंग rang_; लाल laal; नीला neela; हरा hara; पीला peela; काला kaala kala; सफ़ेद safed; ने ne; सा sa
सी si_; से se; एक ek; तीन teen_; चार chaar; पाँच paanch panch; छह chhe; सात saat; आठ aath; नौ nau; दस das; बीस bees
सौ sau; हज़ार hazaar hazar; लाख lakh laakh; करोड़ crore karod; आधा aadha; डेढ़ dedh; ढाई dhai; वाला wala vala
वाली wali vali; वाले wale_ waale; बिना bina; लायक layak; जैसी jaisi; कहीं kahin kahi; यहीं yahin; वहीं wahin
तभी tabhi; सभी sabhi; किसलिए kisliye; एकदम ekdum ekdam; अचानक achanak; अलग alag; खास khaas; असली asli; नकली nakli
पक्का pakka; कच्चा kachcha kaccha; सीधा seedha; उल्टा ulta; तेज़ tez; चुप chup; बंद band_; शुरू shuru
खत्म khatam khatm; इंतज़ार intezaar intezar intzaar; तैयार taiyar taiyaar tayyar; मंज़ूर manzoor; पसंद pasand
नापसंद napasand; ज़िद zid; क़सम kasam; किस्मत kismat; भगवान bhagwan bhagwaan; बाबा baba; गुरु guru_; राजा raja
रानी rani; सरकार sarkar; पुलिस police_; बेवकूफ bewakoof bewkoof; गधा gadha; उल्लू ullu; बदमाश badmash
शरारती shararti; सुंदर sundar; ख़ूबसूरत khoobsurat khubsurat; हसीन haseen; शानदार shandar shaandar
ज़बरदस्त zabardast jabardast; कमाल kamaal kamal; दिखता dikhta; दिखती dikhti; दिखा dikha; लगता lagta; लगती lagti
लगते lagte; लगा laga; लगी lagi; लगे lage; लगेगा lagega; मिला mila; मिली mili; मिले mile_; मिलेगा milega
मिलेंगे milenge; मिलते milte; चला chala; चली chali; चले chale; बोला bola; बोली boli; बोले bole; सुनो suno
देखो dekho; बताओ batao btao; बताना batana; बताया bataya; बताऊँ bataun batau; बोलो bolo; सोचो socho; समझो samjho
समझा samjha; समझी samjhi; समझे samjhe; रुको ruko; बैठो baitho; उठो utho; खाओ khao; पियो piyo; खाया khaya; खायी khayi
पिया piya_; पढ़ padh; लिख likh; खेलते khelte; करो karo; करूँ karun karu; करें karen karein; करे kare; करता karta
करती karti; करते karte; करना karna krna; करने karne; करनी karni; करूँगा karunga krunga; करूँगी karungi
करेंगे karenge; करेगा karega; करेगी karegi; करोगे karoge; करोगी karogi; कहते kehte; कहता kehta; कहना kehna; कहो kaho
जानता janta jaanta; जानती janti jaanti; जानते jante jaante; मानो maano; मान maan; पूरा poora pura; पूरी poori puri
पूरे poore pure_; आधी aadhi; बाकी baaki baki; सोना sona; सोया soya_; थक thak; थका thaka; थकी thaki; चाहे chahe
तुमसे tumse; मुझसे mujhse; उससे usse; इससे isse; आपसे aapse; हमसे humse hamse; किससे kisse; इसमें isme ismein
उसमें usme usmein; मुझमें mujhme; तुझसे tujhse; सबका sabka; सबकी sabki; जिसने jisne; जिसका jiska; जिसे jise; जिस jis
किस kis; हर har; कई kai_; जो jo; ही hee; वही wahi vahi; यही yahi; काश kaash; चाहत chahat; दर्द dard
आवाज़ aawaz awaaz; रोना rona; हँसना hasna; हँसो haso; नाच naach; चाचा chacha; नाना nana_; दादी daadi dadi
मामा mama_; भूल bhool bhul; गलती galti; ग़म gham; राज़ raaz; शेर sher; जंगल jangal; बंदर bandar; मछली machli
चिड़िया chidiya; दीवार deewar; दरवाज़ा darwaza; खिड़की khidki; कमरा kamra; बाज़ार bazaar bazar; दुकान dukaan dukan
गाड़ी gaadi gadi
"""
"""`Devanagari roman roman …;`. A spelling with an underscore at its end is a word of other languages too: it counts
only among Hindi words."""

STEMS = """
बोल bol; सुन sun; देख dekh; सोच soch; समझ samajh samjh; चल chal; बैठ baith; उठ uth; रुक ruk; मिल mil; लिख likh
पढ़ padh; खेल khel; भाग bhaag bhag; दौड़ daud; नाच naach nach; रख rakh; पूछ pooch puch poochh; भेज bhej
ढूँढ dhoondh dhundh; खोल khol; निकल nikal nikl; पहुँच pahunch pohoch; भूल bhool bhul; छोड़ chhod chod; तोड़ tod
जोड़ jod; मार maar; डर dar; हँस has hans; रो ro; कह keh; पकड़ pakad pakd; बेच bech; खरीद khareed kharid; जीत jeet
हार haar; मान maan; जान jaan; पहन pehan pehn; बदल badal badl; सीख seekh sikh; सिखा sikha; बना bana; बता bata
दिखा dikha; लगा laga; उठा utha; बुला bula; खा kha; ला la; गा ga; पा pa; पी pi; कमा kama; हटा hata; चला chala; घुमा ghuma
घूम ghoom ghum; बच bach; कर kar; चाह chah; लग lag; रह reh rah; सक sak; बज baj; काट kaat; डाल daal; फेंक phenk
गिर gir; टूट toot; छुप chhup chup; चिल्ला chilla; मुस्कुरा muskura; नहा naha; सो so
"""
"""Stems of verbs; `SUFFIXES` and what follows make their forms."""

SUFFIXES = (
    ("na", "ना"),
    ("ne", "ने"),
    ("ni", "नी"),
    ("ta", "ता"),
    ("te", "ते"),
    ("ti", "ती"),
    ("kar", "कर"),
    ("ke", "के"),
    ("lo", "लो"),
    ("do", "दो"),
    ("diya", "दिया"),
    ("liya", "लिया"),
)
AFTER_CONSONANT = (
    ("a", "ा"),
    ("i", "ी"),
    ("e", "े"),
    ("o", "ो"),
    ("un", "ूँ"),
    ("oon", "ूँ"),
    ("u", "ूँ"),
    ("en", "ें"),
    ("ein", "ें"),
    ("iye", "िए"),
    ("unga", "ूँगा"),
    ("ungi", "ूँगी"),
    ("oonga", "ूँगा"),
    ("enge", "ेंगे"),
    ("ega", "ेगा"),
    ("egi", "ेगी"),
    ("oge", "ोगे"),
    ("ogi", "ोगी"),
)
AFTER_VOWEL = (
    ("ya", "या"),
    ("yi", "यी"),
    ("ye", "ए"),
    ("o", "ओ"),
    ("un", "ऊँ"),
    ("oon", "ऊँ"),
    ("iye", "इए"),
    ("unga", "ऊँगा"),
    ("ungi", "ऊँगी"),
    ("yenge", "एँगे"),
    ("enge", "एँगे"),
    ("yega", "एगा"),
    ("ega", "एगा"),
    ("yegi", "एगी"),
    ("egi", "एगी"),
    ("oge", "ओगे"),
    ("ogi", "ओगी"),
)
